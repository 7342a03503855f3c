/** Certificates as files: read, checked against their key, described for people. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { CertificateView } from '../../../core/contract/http.ts';
import { describeError, GatewayError } from '../../../core/errors.ts';
import type { PemPair } from './self-signed.ts';

export interface CertificateFiles {
  readonly certificate_file: string;
  readonly key_file: string;
}

export interface Certificate extends PemPair {
  readonly view: CertificateView;
}

/** OPTION_INVALID when they are no certificate and its key: names the file, what was found and what was expected. */
export function readCertificate(files: CertificateFiles): Certificate {
  return checked(
    { certificate_pem: read(files, 'certificate_file'), key_pem: read(files, 'key_file') },
    files,
  );
}

/** `files`: where it would be kept. Dates are not judged here. */
export function checked(pair: PemPair, files: CertificateFiles): Certificate {
  const certificate = parsed('certificate_file', files, 'a certificate', () => {
    return new X509Certificate(pair.certificate_pem);
  });
  const key = parsed('key_file', files, 'a private key without passphrase', () => {
    return createPrivateKey(pair.key_pem);
  });
  if (!certificate.checkPrivateKey(key))
    throw unfit(
      `server.tls: ${files.key_file} is the key of another certificate than ${files.certificate_file}; give the pair that was made together`,
    );
  parsed('certificate_file', files, 'a certificate with its chain', () => {
    return createSecureContext({ cert: pair.certificate_pem, key: pair.key_pem });
  });
  return { ...pair, view: viewOf(certificate) };
}

function read(files: CertificateFiles, name: keyof CertificateFiles): string {
  try {
    return readFileSync(files[name], 'utf8');
  } catch (error) {
    throw unfit(`server.tls.${name}: cannot read ${files[name]}: ${describeError(error)}`, error);
  }
}

function parsed<T>(
  name: keyof CertificateFiles,
  files: CertificateFiles,
  expected: string,
  work: () => T,
): T {
  try {
    return work();
  } catch (error) {
    throw unfit(
      `server.tls.${name}: ${files[name]} is not ${expected} in PEM: ${describeError(error)}`,
      error,
    );
  }
}

function viewOf(certificate: X509Certificate): CertificateView {
  const { fingerprint256, subjectAltName = '', validFrom, validTo, subject, issuer } = certificate;
  const names = subjectAltName.split(', ').map(name => /^(?:DNS|IP Address):(.+)$/.exec(name));
  return {
    fingerprint_sha256: fingerprint256,
    self_signed: subject === issuer && certificate.verify(certificate.publicKey),
    names: names.flatMap(found => (found ? shortened(found[1]!) : [])),
    valid_from_ms: Date.parse(validFrom),
    valid_until_ms: Date.parse(validTo),
  };
}

/** OpenSSL writes IPv6 addresses out in full. */
const shortened = (name: string) =>
  name.includes(':') ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name;

const unfit = (message: string, cause?: unknown) => new GatewayError('OPTION_INVALID', message, { cause });

export const dayOf = (t_ms: number) => new Date(t_ms).toISOString().slice(0, 10);
