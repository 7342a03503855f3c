/** The certificates that we make, read by OpenSSL: for whom, how long, signed by whom. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { ownNames } from './own-names.ts';
import { makeSelfSigned } from './self-signed.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 27, 12, 30, 15);

const make = (names: string[], valid_from_ms = NOW_MS, days = 820) =>
  makeSelfSigned({ names, valid_from_ms, valid_until_ms: valid_from_ms + days * DAY_MS });

test('it is an X.509 certificate on P-256, signed by its own key, no authority, for servers', () => {
  const { certificate_pem, key_pem } = make(['box', '192.0.2.7']);
  const certificate = new X509Certificate(certificate_pem);
  expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  expect(certificate.checkPrivateKey(createPrivateKey(key_pem))).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(certificate.subject).toBe('O=BMS Gateway\nCN=box');
  expect(certificate.issuer).toBe(certificate.subject);
  expect(certificate.validFrom).toBe('Nov 27 12:30:15 2026 GMT');
  expect(certificate.subjectAltName).toBe('DNS:box, IP Address:192.0.2.7');
});

test('every one has its own serial number and fingerprint', () => {
  const made = Array.from({ length: 20 }, () => new X509Certificate(make(['box']).certificate_pem));
  expect(new Set(made.map(({ serialNumber }) => serialNumber)).size).toBe(20);
  expect(new Set(made.map(({ fingerprint256 }) => fingerprint256)).size).toBe(20);
});

test('any names and addresses, and times on both sides of 2050, are kept', () => {
  const dns = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}(\.[a-z]{1,10}){0,3}$/);
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter(one => isIPv6(one) && !one.includes('.')),
  );
  fc.assert(
    fc.property(
      fc.array(dns, { maxLength: 5 }),
      fc.array(address, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 0, max: 4_000_000_000 }),
      (names, addresses, from_s) => {
        const { certificate_pem } = make([...names, ...addresses], from_s * 1000);
        const certificate = new X509Certificate(certificate_pem);
        for (const name of names) expect(certificate.checkHost(name, { subject: 'never' })).toBe(name);
        for (const one of addresses) expect(certificate.checkIP(one)).toBe(one);
        expect(Date.parse(certificate.validFrom)).toBe(from_s * 1000);
        expect(Date.parse(certificate.validTo)).toBe(from_s * 1000 + 820 * DAY_MS);
      },
    ),
    { numRuns: runsOf(40) },
  );
});

test('a machine names itself and its loopback', () => {
  const names = ownNames();
  expect(names).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '::1']));
  const certificate = new X509Certificate(make(names).certificate_pem);
  for (const name of ['127.0.0.1', '::1']) expect(certificate.checkIP(name)).toBe(name);
});
