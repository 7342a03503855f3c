/**
 * The certificate that is served: the configured one, or one of our own making that is renewed in time. Checks
 * the files again and again and takes what is new without a restart; what is not fit is refused, and the one
 * before goes on.
 */
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, TimerHandle } from '../../../core/clock/clock.ts';
import { describeError, GatewayError, isDiskFault } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { type Certificate, type CertificateFiles, checked, dayOf, readCertificate } from './certificate.ts';
import { ownNames } from './own-names.ts';
import { makeSelfSigned } from './self-signed.ts';

const DAY_MS = 86_400_000;
/** Clients of Apple take no longer one (support.apple.com/103769: 825 days). */
const VALID_DAYS = 820;
const RENEW_BEFORE_DAYS = 30;
/** From so many days before its end a configured certificate is complained about. */
const WARN_BEFORE_DAYS = 14;
const CHECK_MS = 10_000;
const CLOCK_IS_SET_MS = Date.UTC(2026, 0);

export type CertificateSource =
  | ({ readonly kind: 'configured' } & CertificateFiles)
  | { readonly kind: 'self_signed'; readonly directory: string };

export const certificateDirectory = (state_dir: string) => join(state_dir, 'tls');

export const selfSignedFiles = (directory: string): CertificateFiles => ({
  certificate_file: join(directory, 'certificate.pem'),
  key_file: join(directory, 'key.pem'),
});

export class CertificateKeeper {
  readonly #source: CertificateSource;
  readonly #files: CertificateFiles;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listeners = new Set<(certificate: Certificate) => void>();
  #current: Certificate;
  #signature: string;
  /** Why the files as they are now were not taken. */
  #refusal: string | undefined;
  #timer: TimerHandle | undefined;
  #checking: Promise<void> = Promise.resolve();
  #isStopped = false;

  private constructor(
    source: CertificateSource,
    clock: Clock,
    log: Logger,
    first: Certificate,
    signature: string,
  ) {
    this.#source = source;
    this.#files = filesOf(source);
    this.#clock = clock;
    this.#log = log;
    this.#current = first;
    this.#signature = signature;
  }

  /** OPTION_INVALID when the configured files are unfit, or none of our own can be made. */
  static async open(source: CertificateSource, clock: Clock, log: Logger): Promise<CertificateKeeper> {
    const files = filesOf(source);
    const first = source.kind === 'configured' ? readCertificate(files) : await ownCertificate(source, clock);
    const keeper = new CertificateKeeper(source, clock, log, first, await signatureOf(files));
    if (isExpired(first, clock)) log.error({ reason: keeper.fault }, 'Serving all the same');
    return keeper;
  }

  get current(): Certificate {
    return this.#current;
  }

  /** What a person should mend; null while all is well. */
  get fault(): string | null {
    if (this.#refusal) return `${this.#refusal}; the certificate before it is served`;
    const { valid_until_ms } = this.#current.view;
    const left_ms = valid_until_ms - this.#clock.wallMs();
    if (this.#source.kind === 'self_signed' || left_ms > WARN_BEFORE_DAYS * DAY_MS) return null;
    const when = left_ms < 0 ? 'expired' : 'expires';
    return `${this.#files.certificate_file} ${when} on ${dayOf(valid_until_ms)}; put a new one in its place`;
  }

  onChange(listener: (certificate: Certificate) => void): void {
    this.#listeners.add(listener);
  }

  /** From now on checks the files every few seconds. */
  start(): void {
    if (this.#isStopped) return;
    this.#timer = this.#clock.setTimer(() => void this.check().then(() => this.start()), CHECK_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#clock.clearTimer(this.#timer);
  }

  /** Takes what is new in the files. Never rejects: what is unfit is logged and shown as `fault`. */
  check(): Promise<void> {
    this.#checking = this.#checking.then(() => this.#check());
    return this.#checking;
  }

  async #check(): Promise<void> {
    const signature = await signatureOf(this.#files);
    const isDue = this.#source.kind === 'self_signed' && needsRenewal(this.#current, this.#clock);
    if (signature === this.#signature && !isDue) return;
    this.#signature = signature;
    try {
      const next =
        this.#source.kind === 'self_signed'
          ? await ownCertificate(this.#source, this.#clock)
          : this.#configured();
      this.#signature = await signatureOf(this.#files);
      this.#refusal = undefined;
      this.#take(next);
    } catch (error) {
      this.#refuse(describeError(error));
    }
  }

  /** Said once for each reason, not at every check. */
  #refuse(reason: string): void {
    if (reason !== this.#refusal)
      this.#log.error({ reason }, 'A changed certificate was refused; the one before it is served');
    this.#refusal = reason;
  }

  #configured(): Certificate {
    const next = readCertificate(this.#files);
    if (isExpired(next, this.#clock))
      throw new GatewayError(
        'OPTION_INVALID',
        `server.tls.certificate_file: ${this.#files.certificate_file} expired on ${dayOf(next.view.valid_until_ms)}`,
      );
    return next;
  }

  #take(next: Certificate): void {
    if (next.view.fingerprint_sha256 === this.#current.view.fingerprint_sha256) return;
    this.#current = next;
    for (const listener of this.#listeners) listener(next);
    this.#log.info(logFields(next), 'TLS certificate changed');
  }
}

export const logFields = ({ view }: Certificate) => ({
  fingerprint_sha256: view.fingerprint_sha256,
  self_signed: view.self_signed,
  valid_until: dayOf(view.valid_until_ms),
  names: view.names.join(' '),
});

const filesOf = (source: CertificateSource) =>
  source.kind === 'configured' ? source : selfSignedFiles(source.directory);

const isExpired = ({ view }: Certificate, clock: Clock) => view.valid_until_ms < clock.wallMs();

/**
 * Also when it begins in the future, made while the clock ran ahead. A box without a clock of its own wakes up in
 * the past: that is no reason, or each start would bring a new fingerprint.
 */
function needsRenewal({ view }: Certificate, clock: Clock): boolean {
  const now_ms = clock.wallMs();
  const isEnding = view.valid_until_ms - now_ms < RENEW_BEFORE_DAYS * DAY_MS;
  return isEnding || (view.valid_from_ms > now_ms && now_ms > CLOCK_IS_SET_MS);
}

/** The one kept in the directory; a new one when there is none, it is unfit, or its time is nearly up. */
async function ownCertificate(
  { directory }: { readonly directory: string },
  clock: Clock,
): Promise<Certificate> {
  const files = selfSignedFiles(directory);
  const kept = keptCertificate(files);
  if (kept && !needsRenewal(kept, clock)) return kept;
  const now_ms = clock.wallMs();
  const pair = makeSelfSigned({
    names: ownNames(),
    // Clocks of phones differ a little from ours.
    valid_from_ms: now_ms - DAY_MS,
    valid_until_ms: now_ms + VALID_DAYS * DAY_MS,
  });
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await replace(files.key_file, pair.key_pem);
    await replace(files.certificate_file, pair.certificate_pem);
  } catch (error) {
    // It serves this run, as long as the disk takes nothing.
    if (isDiskFault(error)) return checked(pair, files);
    throw new GatewayError(
      'OPTION_INVALID',
      `Cannot keep a certificate in ${directory}: ${describeError(error)}; make the folder writable, or set server.tls`,
      { cause: error },
    );
  }
  return readCertificate(files);
}

function keptCertificate(files: CertificateFiles): Certificate | undefined {
  try {
    return readCertificate(files);
  } catch {
    return undefined;
  }
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Changes whenever a file does; follows links, as certbot's are. */
async function signatureOf(files: CertificateFiles): Promise<string> {
  const all = [files.certificate_file, files.key_file].map(async file => {
    const found = await stat(file).catch(() => undefined);
    return found ? `${found.ino}:${found.size}:${found.mtimeMs}` : 'none';
  });
  return (await Promise.all(all)).join(' ');
}
