/** Addresses of those who ask: which are this machine's own, and which count as one. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { GatewayError } from '../../core/errors.ts';

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

/** `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`; undefined where it is none. */
function parsed(entry: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', bits, ...more] = entry.split('/');
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined;
  if (!family || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
  const most = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  return prefix <= most ? { address, prefix, family } : undefined;
}

export const isAddressOrNetwork = (entry: string) => parsed(entry) !== undefined;

/** Says whether an address is one of these addresses and networks. OPTION_INVALID where an entry is neither. */
export function addressMatcher(entries: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const found = parsed(entry);
    if (!found)
      throw new GatewayError(
        'OPTION_INVALID',
        `server.trusted_proxies: found '${entry}', expected an address or a network such as 10.0.0.0/8`,
      );
    list.addSubnet(found.address, found.prefix, found.family);
  }
  return address => {
    const plain = (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1)[0]!;
    if (isIPv4(plain)) return list.check(plain, 'ipv4');
    return isIPv6(plain) && list.check(plain, 'ipv6');
  };
}
