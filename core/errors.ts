/**
 * Every error we raise, by code. Retriable means: the cause may go away by itself (a cable, a server),
 * try again with back-off. Fatal means: a person must change something first.
 * Rule: throw or return, never log and go on; the supervisor logs once.
 */
export const ERROR_CODES = {
  CONFIG_INVALID: 'fatal',
  PROFILE_INVALID: 'fatal',
  OPTION_INVALID: 'fatal',
  CAN_INTERFACE_ABSENT: 'retriable',
  CAN_UNAVAILABLE: 'fatal',
  CAN_SEND_FAILED: 'retriable',
  LINK_REFUSED: 'retriable',
  LINK_TIMEOUT: 'retriable',
  LINK_CLOSED: 'retriable',
  MODBUS_EXCEPTION: 'retriable',
  MODBUS_BAD_REPLY: 'retriable',
  SUNSPEC_NOT_FOUND: 'retriable',
  STORE_FAILED: 'retriable',
  STORE_CORRUPT: 'fatal',
  STORE_IN_USE: 'fatal',
  MIGRATION_CHANGED: 'fatal',
  SCHEMA_TOO_NEW: 'fatal',
  SCHEMA_TOO_OLD: 'fatal',
  UPSTREAM_UNREACHABLE: 'retriable',
  UPSTREAM_REFUSED: 'retriable',
  UPSTREAM_IDENTITY_CONFLICT: 'fatal',
  SERVER_ADDRESS_IN_USE: 'fatal',
  SERVER_INSECURE: 'fatal',
  UNAUTHENTICATED: 'fatal',
  FORBIDDEN: 'fatal',
  CONFIRM_PASSWORD: 'fatal',
  NOT_FOUND: 'fatal',
  BAD_REQUEST: 'fatal',
  METHOD_NOT_ALLOWED: 'fatal',
  CONFLICT: 'fatal',
  TOO_LARGE: 'fatal',
  UNSUPPORTED_MEDIA: 'fatal',
  RATE_LIMITED: 'retriable',
  INTERNAL: 'fatal',
  STOPPED: 'fatal',
} as const satisfies Record<string, 'retriable' | 'fatal'>;

export type ErrorCode = keyof typeof ERROR_CODES;

export class GatewayError extends Error {
  readonly code: ErrorCode;

  /** `message` names the place, what was found and what was expected, in words a person can act on. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GatewayError';
    this.code = code;
  }

  get retriable(): boolean {
    return ERROR_CODES[this.code] === 'retriable';
  }
}

/** One line of text for any thrown thing, for logs and status. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}

const DISK_FAULTS = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];

/** A disk that is full, fails or is read-only: it may be mended while we run. */
export function isDiskFault(error: unknown): boolean {
  return DISK_FAULTS.includes(String((error as { code?: unknown } | undefined)?.code));
}
