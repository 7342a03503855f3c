/** What a person reads when the centre cannot be reached: one line with host, database and user, never the password. */
import { describeError, type ErrorCode, GatewayError } from '../../core/errors.ts';

export interface Centre {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

export function describeCentre({ host, port, database, user }: Centre): string {
  return `PostgreSQL at ${host}:${port}, database "${database}", user "${user}"`;
}

type Cause = readonly [ErrorCode, string];

/** Errors of the network, as Node names them. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection: no server listens there',
  ENOTFOUND: 'has an unknown host name',
  EAI_AGAIN: 'has a host name that cannot be resolved now',
  ETIMEDOUT: 'does not answer',
  EHOSTUNREACH: 'cannot be reached: no route',
  ENETUNREACH: 'cannot be reached: the network is down',
  ECONNRESET: 'closed the connection',
  EPIPE: 'closed the connection',
};

/** Errors of TLS, as Node and OpenSSL name them. */
const TLS: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a certificate of another host',
  CERT_HAS_EXPIRED: 'shows a certificate that has expired',
  CERT_NOT_YET_VALID: 'shows a certificate that is not valid yet: is the clock right?',
  SELF_SIGNED_CERT_IN_CHAIN:
    'shows a certificate of an authority that is not trusted; name it by sslrootcert in the URL',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'shows a certificate that is not trusted; name its authority by sslrootcert in the URL',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'shows a certificate of an authority that is not trusted; name it by sslrootcert in the URL',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'shows a certificate of an authority that is not trusted; name it by sslrootcert in the URL',
  CERT_SIGNATURE_FAILURE: 'shows a certificate that the authority of sslrootcert did not sign',
};

/** Errors of the server (PostgreSQL documentation, appendix A). */
const SERVER: Readonly<Record<string, Cause>> = {
  '28P01': ['UPSTREAM_REFUSED', 'refuses the password'],
  '28000': ['UPSTREAM_REFUSED', 'refuses the user'],
  '3D000': ['UPSTREAM_REFUSED', 'has no such database'],
  '42501': ['UPSTREAM_REFUSED', 'does not give the user the rights that are needed'],
  '25006': ['UPSTREAM_REFUSED', 'is read-only (a standby?)'],
  '40P01': ['UPSTREAM_REFUSED', 'ended a statement that waited for somebody who waited for it'],
  '53100': ['UPSTREAM_REFUSED', 'has a full disk'],
  '53300': ['UPSTREAM_REFUSED', 'has no free connection'],
  '55P03': ['UPSTREAM_REFUSED', 'waits for a lock that somebody holds there'],
  '57014': ['UPSTREAM_REFUSED', 'took too long over a statement'],
  '57P01': ['UPSTREAM_UNREACHABLE', 'is shutting down'],
  '57P02': ['UPSTREAM_UNREACHABLE', 'is restarting after a crash'],
  '57P03': ['UPSTREAM_UNREACHABLE', 'is starting up'],
};

/** The error as a GatewayError whose message names the centre. */
export function upstreamFailure(centre: Centre, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = codeOf(error);
  const place = describeCentre(centre);
  if (code in NETWORK)
    return new GatewayError('UPSTREAM_UNREACHABLE', `${place} ${NETWORK[code]}`, { cause: error });
  if (code in TLS)
    return new GatewayError('UPSTREAM_REFUSED', `${place} ${TLS[code]} (${describeError(error)})`, {
      cause: error,
    });
  if (code in SERVER) {
    const [gateway_code, what] = SERVER[code];
    return new GatewayError(gateway_code, `${place} ${what} (${describeError(error)})`, { cause: error });
  }
  const gateway_code = isServerError(error) ? 'UPSTREAM_REFUSED' : 'UPSTREAM_UNREACHABLE';
  return new GatewayError(gateway_code, `${place}: ${describeError(error)}`, { cause: error });
}

/** Whether the server itself replied with this error: the connection is still good. */
export function isServerError(error: unknown): boolean {
  return /^[0-9A-Z]{5}$/.test(codeOf(error)) && !(codeOf(error) in NETWORK);
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return '';
}
