/** `bms-gateway certificate`: which TLS certificate is served, to compare with what a browser shows. */
import type { Environment } from '../config/environment.ts';
import { loadNamedConfig } from '../config/named-profiles.ts';
import { type CertificateFiles, dayOf, readCertificate } from '../server/tls/certificate.ts';
import { certificateDirectory, selfSignedFiles } from '../server/tls/certificate-keeper.ts';
import { UsageError } from './usage.ts';

/** Only reads: a certificate of its own is made by the gateway, under its own account. */
export function describeCertificate(config_file: string, environment: Environment): string[] {
  const { tls } = loadNamedConfig(config_file, environment).config.server;
  const files = tls ?? ownFiles(environment.state_dir);
  const { view } = readCertificate(files);
  return [
    `file         ${files.certificate_file}`,
    `fingerprint  SHA-256 ${view.fingerprint_sha256}`,
    `made by      ${view.self_signed ? 'this gateway itself, or another single machine (self-signed)' : 'an authority'}`,
    `valid        ${dayOf(view.valid_from_ms)} to ${dayOf(view.valid_until_ms)}`,
    `for          ${view.names.join(', ') || 'no name'}`,
  ];
}

function ownFiles(state_dir: string): CertificateFiles {
  const files = selfSignedFiles(certificateDirectory(state_dir));
  try {
    readCertificate(files);
    return files;
  } catch {
    throw new UsageError(
      `no certificate in ${certificateDirectory(state_dir)}: the gateway makes one when it first listens beyond loopback; ` +
        'its state directory is named by BMS_STATE_DIR, /var/lib/bms-gateway on a box',
    );
  }
}
