/** What a page asks the gateway for once, and again on demand. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError } from './client.ts';
import { ask } from './session.ts';

export interface Asked<T> {
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  /** Asks again; what is there stays until the answer comes. */
  readonly reload: () => Promise<void>;
  /** Takes over an answer that came another way. */
  readonly accept: (data: T) => void;
}

export function useAsk<T>(path: string): Asked<T> {
  const [data, accept] = useState<T>();
  const [error, setError] = useState<ApiError>();
  const reload = useCallback(async () => {
    try {
      accept(await ask<T>(path));
      setError(undefined);
    } catch (failure) {
      setError(failure instanceof ApiError ? failure : new ApiError(0, '', messageOf(failure)));
    }
  }, [path]);
  useEffect(() => void reload(), [reload]);
  return { data, error, reload, accept };
}

export function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
