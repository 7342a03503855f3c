/** The title of the browser tab. */
import { useEffect } from 'preact/hooks';
import { t } from '../texts/texts.ts';

export function useTitle(page: string): void {
  const title = t().common.titleOf(page);
  useEffect(() => {
    document.title = title;
  }, [title]);
}
