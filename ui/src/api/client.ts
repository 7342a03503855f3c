/** HTTP towards the gateway. Every failure is an ApiError whose message a person can act on. */
import type { Problem } from '../../../core/contract/http.ts';
import { t } from '../texts/texts.ts';

export class ApiError extends Error {
  /** HTTP status; 0 when the gateway did not answer. */
  readonly status: number;
  /** Of the problem document; empty without one. */
  readonly code: string;
  /** From the Retry-After header; undefined without one. */
  readonly retry_after_s: number | undefined;

  constructor(status: number, code: string, message: string, retry_after_s?: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retry_after_s = retry_after_s;
  }
}

const TIMEOUT_MS = 15_000;

interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: object;
  readonly signal?: AbortSignal;
  /** For what takes longer than usual. */
  readonly timeout_ms?: number;
}

/** `T` is what the contract promises for this path; undefined for an empty reply. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  const body: unknown = isJson && text ? JSON.parse(text) : undefined;
  if (response.ok) return body as T;
  const problem = (body ?? {}) as Partial<Problem>;
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  throw new ApiError(
    response.status,
    problem.code ?? '',
    problem.detail ?? problem.title ?? t().errors.status(response.status),
    Number.isFinite(retryAfter) ? retryAfter : undefined,
  );
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const timeout = AbortSignal.timeout(options.timeout_ms ?? TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  try {
    return await fetch(path, {
      method: options.method ?? 'GET',
      credentials: 'same-origin',
      signal,
      ...(options.body
        ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(options.body) }
        : {}),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, '', t().errors.noAnswer);
  }
}
