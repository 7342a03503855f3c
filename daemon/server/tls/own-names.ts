/** Under which names and addresses this machine can be reached. */
import { hostname, networkInterfaces } from 'node:os';

/** Addresses in its networks, without loopback and link-local ones (which a browser could not use). */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
    .map(({ address }) => address);
}

/** What a certificate of this machine should name, the host name first. */
export function ownNames(): string[] {
  const host = hostname().toLowerCase();
  const isName = /^[a-z0-9_.-]{1,253}$/.test(host) && host !== 'localhost';
  const names = isName ? [host, ...(host.includes('.') ? [] : [`${host}.local`])] : [];
  return [...new Set([...names, 'localhost', ...ownAddresses(), '127.0.0.1', '::1'])];
}

export const isWildcard = (host: string) => host === '0.0.0.0' || host === '::';

export const inUrl = (host: string) => (host.includes(':') ? `[${host}]` : host);
