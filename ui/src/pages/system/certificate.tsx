/** The gateway's TLS certificate: its fingerprint, to be compared with what the browser shows. */
import type { CertificateView } from '../../../../core/contract/http.ts';
import { formatDay } from '../../format/time.ts';
import { Section } from '../../parts/controls.tsx';
import { Fact } from '../../parts/value.tsx';
import { t } from '../../texts/texts.ts';

export function Certificate({ certificate }: { certificate: CertificateView | null | undefined }) {
  if (!certificate) return null;
  const text = t().certificate;
  const { fingerprint_sha256, self_signed, names, valid_from_ms, valid_until_ms } = certificate;
  return (
    <Section title={text.title} class="card certificate">
      <p class="quiet">{self_signed ? text.selfSigned : text.given}</p>
      <dl class="list-facts">
        <Fact label={text.fingerprint}>
          <code class="fingerprint">{inPairs(fingerprint_sha256)}</code>
        </Fact>
        <Fact label={text.valid}>
          {text.validFromTo(formatDay(valid_from_ms), formatDay(valid_until_ms))}
        </Fact>
        <Fact label={text.names}>{names.join(', ') || text.noName}</Fact>
      </dl>
    </Section>
  );
}

/** May break between bytes, never within one. */
const inPairs = (fingerprint: string) => fingerprint.replaceAll(':', ':\u200b');
