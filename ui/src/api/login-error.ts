/** Why a login failed, in words that say what to do. */
import { formatSpan } from '../format/time.ts';
import { t } from '../texts/texts.ts';
import { ApiError } from './client.ts';

export function loginError(failure: unknown): string {
  const text = t().errors;
  if (!(failure instanceof ApiError)) return text.ownFault;
  if (failure.status === 0) return failure.message;
  if (failure.status === 401) return text.wrongLogin;
  if (failure.status === 429) {
    const { retry_after_s } = failure;
    return retry_after_s ? text.tooManyTries(formatSpan(retry_after_s * 1000)) : text.tooManyTriesSoon;
  }
  return failure.message;
}
