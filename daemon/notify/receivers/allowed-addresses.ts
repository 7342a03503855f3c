/**
 * Where a webhook never goes: this machine itself, its own link, groups, and nowhere. A name that somebody else decides
 * about could else reach what listens on loopback only. Checked on the address that is connected to, after the name was
 * resolved; an address that the configuration names as such is meant.
 */
import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';

const forbidden = new BlockList();
forbidden.addSubnet('0.0.0.0', 8, 'ipv4');
forbidden.addSubnet('127.0.0.0', 8, 'ipv4');
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
forbidden.addSubnet('224.0.0.0', 4, 'ipv4');
forbidden.addSubnet('240.0.0.0', 4, 'ipv4');
forbidden.addAddress('::', 'ipv6');
forbidden.addAddress('::1', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addSubnet('ff00::', 8, 'ipv6');
// IPv4 in other clothes: by translation (RFC 6052), 6to4, and compatible addresses. Of mapped ones Node knows itself.
forbidden.addSubnet('64:ff9b::', 96, 'ipv6');
forbidden.addSubnet('2002::', 16, 'ipv6');
forbidden.addSubnet('::', 96, 'ipv6');

export function isForbidden(address: string): boolean {
  const [plain = ''] = address.split('%', 1);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
  return isIP(mapped) === 0 || forbidden.check(mapped, isIPv4(mapped) ? 'ipv4' : 'ipv6');
}

/** `[::1]` as an address; undefined: it is a name. */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) > 0 ? bare : undefined;
}

/** In place of Node's: a name that leads only where nothing may go is an error that says so. */
export function lookupAllowed(resolve: typeof resolveName = resolveName): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '');
      const allowed = found.filter(({ address }) => !isForbidden(address));
      const [first] = allowed;
      if (!first) {
        const led = found.map(({ address }) => address).join(', ');
        return done(
          new Error(
            `${hostname} leads to ${led}, expected an address that is neither loopback, link-local, multicast nor unspecified`,
          ),
          '',
        );
      }
      if (options.all) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}
