/** Why a login failed, in words that say what to do. */
import { formatSpan } from '../format/time.ts';
import { ApiError } from './client.ts';

export function loginError(failure: unknown): string {
  if (!(failure instanceof ApiError)) return 'Something went wrong on this page. Reload it and try again.';
  if (failure.status === 0) return failure.message;
  if (failure.status === 401) return 'User name or password is wrong.';
  if (failure.status === 429) {
    const wait = failure.retry_after_s
      ? `Try again in ${formatSpan(failure.retry_after_s * 1000)}.`
      : 'Wait a minute.';
    return `Too many attempts. ${wait}`;
  }
  return failure.message;
}
