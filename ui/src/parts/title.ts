/** The title of the browser tab. */
import { useEffect } from 'preact/hooks';

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · BMS Gateway`;
  }, [title]);
}
