/** Addresses of those who ask: which are this machine's own, and which count as one. */
import { isIPv4, isIPv6 } from 'node:net';

/** Whether a host name or address is this machine's own loopback (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3). */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^::ffff:/i, '');
  return address === '::1' || address === 'localhost' || (isIPv4(address) && address.startsWith('127.'));
}

/** One host commands a whole /64 of IPv6 addresses (RFC 6177): they count as one. */
export function network(address: string): string {
  if (!isIPv6(address) || address.toLowerCase().startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])];
  return all.slice(0, 4).join(':');
}
