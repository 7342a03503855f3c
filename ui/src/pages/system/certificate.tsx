/** The gateway's TLS certificate: its fingerprint, to be compared with what the browser shows. */
import type { CertificateView } from '../../../../core/contract/http.ts';
import { formatDay } from '../../format/time.ts';
import { Section } from '../../parts/controls.tsx';
import { Fact } from '../../parts/value.tsx';

export function Certificate({ certificate }: { certificate: CertificateView | null | undefined }) {
  if (!certificate) return null;
  const { fingerprint_sha256, self_signed, names, valid_from_ms, valid_until_ms } = certificate;
  return (
    <Section title="Connection to this page" class="card certificate">
      <p class="quiet">
        {self_signed
          ? 'The gateway made its certificate itself, so browsers warn of it once. It is the right one when the browser’s certificate view shows this fingerprint.'
          : 'This is the certificate the gateway was given.'}
      </p>
      <dl class="list-facts">
        <Fact label="SHA-256 fingerprint">
          <code class="fingerprint">{inPairs(fingerprint_sha256)}</code>
        </Fact>
        <Fact label="Valid">
          {formatDay(valid_from_ms)} to {formatDay(valid_until_ms)}
        </Fact>
        <Fact label="For">{names.join(', ') || 'no name'}</Fact>
      </dl>
    </Section>
  );
}

/** May break between bytes, never within one. */
const inPairs = (fingerprint: string) => fingerprint.replaceAll(':', ':\u200b');
