/** The password wanted once more: what the gateway refused for want of it waits for the dialog, then goes on. */
import { signal } from '@preact/signals';
import { t } from '../texts/texts.ts';
import { ApiError } from './client.ts';

interface Wanted {
  readonly given: Promise<void>;
  readonly done: () => void;
  readonly cancel: () => void;
}

/** Undefined: nothing waits. */
export const wanted = signal<Wanted | undefined>(undefined);

/** Runs `work` again after the password was given, where it was refused for want of it. */
export async function confirming<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'CONFIRM_PASSWORD') throw error;
  }
  wanted.value ??= makeWanted();
  await wanted.value.given;
  return work();
}

function makeWanted(): Wanted {
  const { promise: given, resolve, reject } = Promise.withResolvers<void>();
  const end = (settle: () => void) => () => {
    wanted.value = undefined;
    settle();
  };
  const kept = new ApiError(403, 'CONFIRM_PASSWORD', t().errors.notConfirmed);
  return { given, done: end(resolve), cancel: end(() => reject(kept)) };
}
