/**
 * Makes a self-signed certificate for a server: X.509 version 3 (RFC 5280), ECDSA on P-256 with SHA-256.
 * It is no authority: who trusts it trusts this gateway and nothing else.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import {
  bitString,
  boolean,
  type Der,
  explicit,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

const OID = {
  ecdsa_with_sha256: '1.2.840.10045.4.3.2',
  common_name: '2.5.4.3',
  organization: '2.5.4.10',
  basic_constraints: '2.5.29.19',
  key_usage: '2.5.29.15',
  extended_key_usage: '2.5.29.37',
  subject_alternative_name: '2.5.29.17',
  server_auth: '1.3.6.1.5.5.7.3.1',
} as const;
const COMMON_NAME_CHARACTERS_MAX = 64;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

export interface PemPair {
  readonly certificate_pem: string;
  readonly key_pem: string;
}

export interface SelfSignedOptions {
  /** Host names and addresses it is valid for; the first one is also its subject. */
  readonly names: readonly string[];
  readonly valid_from_ms: number;
  readonly valid_until_ms: number;
}

export function makeSelfSigned({ names, valid_from_ms, valid_until_ms }: SelfSignedOptions): PemPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(objectId(OID.ecdsa_with_sha256));
  const subject = nameOf(names[0] ?? 'localhost');
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm,
    subject,
    sequence(time(valid_from_ms), time(valid_until_ms)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(names))),
  );
  const certificate = sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, privateKey)));
  return {
    certificate_pem: pem('CERTIFICATE', certificate),
    key_pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Positive, and at most 20 bytes (RFC 5280, section 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function nameOf(common_name: string): Der {
  const attribute = (oid: string, text: string) => set(sequence(objectId(oid), utf8String(text)));
  return sequence(
    attribute(OID.organization, 'BMS Gateway'),
    attribute(OID.common_name, common_name.slice(0, COMMON_NAME_CHARACTERS_MAX)),
  );
}

function extensions(names: readonly string[]): Der[] {
  const extension = (oid: string, isCritical: boolean, value: Der) =>
    sequence(objectId(oid), ...(isCritical ? [boolean(true)] : []), octetString(value));
  const DIGITAL_SIGNATURE = bitString(Buffer.from([0x80]), 7);
  return [
    extension(OID.basic_constraints, true, sequence()),
    extension(OID.key_usage, true, DIGITAL_SIGNATURE),
    extension(OID.extended_key_usage, false, sequence(objectId(OID.server_auth))),
    extension(OID.subject_alternative_name, false, sequence(...names.map(alternativeName))),
  ];
}

function alternativeName(name: string): Der {
  if (isIPv4(name)) return implicit(IP_ADDRESS, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) return implicit(IP_ADDRESS, ipv6Bytes(name));
  return implicit(DNS_NAME, Buffer.from(name, 'ascii'));
}

/** Takes no zone and no dotted tail; interfaces report neither. */
function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const zeros = new Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const all = tail === undefined ? groups(head) : [...groups(head), ...zeros, ...groups(tail)];
  const bytes = Buffer.alloc(16);
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * i);
  return bytes;
}

function pem(label: string, der: Der): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
