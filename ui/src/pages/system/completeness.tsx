/** How complete the readings are: totals of a span, and the packs that lack some. */
import { useMemo, useState } from 'preact/hooks';
import type { CompletenessReply, PackCompleteness } from '../../../../core/contract/completeness.ts';
import { useAsk } from '../../api/use-ask.ts';
import { formatCount, formatShare } from '../../format/completeness.ts';
import { now_ms } from '../../live/live.ts';
import { Section, Segments } from '../../parts/controls.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';

const HOUR_MS = 3_600_000;
const SPANS = [
  { value: '24', name: 'h24' },
  { value: '168', name: 'd7' },
  { value: '720', name: 'd30' },
] as const;
type Span = (typeof SPANS)[number]['value'];

export function Completeness() {
  const text = t().completeness;
  const [span, setSpan] = useState<Span>('24');
  const to_ms = useMemo(() => now_ms.value, [span]);
  const from_ms = to_ms - Number(span) * HOUR_MS;
  const { data, error } = useAsk<CompletenessReply>(
    `/api/reports/completeness?from_ms=${from_ms}&to_ms=${to_ms}`,
  );
  return (
    <>
      <div class="report-head">
        <Segments
          label={text.span}
          options={SPANS.map(({ value, name }) => ({ value, text: text.spans[name] }))}
          value={span}
          onChange={setSpan}
        />
      </div>
      {error && (
        <Notice icon="triangle" title={text.failed} tone="critical">
          <p>{error.message}</p>
        </Notice>
      )}
      {!data && !error && <Loading text={text.loading} />}
      {data && <Account reply={data} />}
    </>
  );
}

interface Sums {
  readonly expected: number;
  readonly received: number;
  readonly stored: number;
  readonly repeated: number;
  readonly synced: number | null;
}

function Account({ reply }: { reply: CompletenessReply }) {
  const text = t().completeness;
  if (reply.hours.length === 0)
    return (
      <Notice icon="clock" title={text.noHour.title}>
        <p>{text.noHour.text}</p>
      </Notice>
    );
  const rows = reply.packs.map(pack => ({ pack_id: pack.pack_id, sums: sumsOf(pack) }));
  const all = rows.reduce<Sums>((total, { sums }) => plus(total, sums), ZERO);
  const lacking = rows
    .filter(({ sums }) => freshOf(sums) < sums.expected || (sums.synced ?? sums.stored) < sums.stored)
    .sort((a, b) => freshOf(a.sums) / a.sums.expected - freshOf(b.sums) / b.sums.expected);
  return (
    <>
      <dl class="totals">
        <Total
          label={text.due}
          value={formatCount(all.expected)}
          note={text.inFullHours(reply.hours.length)}
        />
        <Total
          label={text.received}
          value={formatShare(all.received, all.expected)}
          note={formatCount(all.received)}
        />
        <Total
          label={text.stored}
          value={formatShare(all.stored, all.expected)}
          note={formatCount(all.stored)}
        />
        <Total
          label={text.fresh}
          value={formatShare(freshOf(all), all.expected)}
          note={all.repeated === 0 ? text.noneRepeated : text.repeatedCount(formatCount(all.repeated))}
        />
        <Total
          label={text.atCentre}
          value={all.synced === null ? '–' : formatShare(all.synced, all.expected)}
          note={all.synced === null ? text.noCentre : formatCount(all.synced)}
        />
      </dl>
      <Section title={text.lacking}>
        {lacking.length === 0 ? (
          <Notice icon="check" title={text.noneLacking} />
        ) : (
          <div class="table-scroll">
            <table class="table">
              <thead>
                <tr>
                  {[
                    text.pack,
                    text.fresh,
                    text.due,
                    text.notReceived,
                    text.notStored,
                    text.repeated,
                    text.notAtCentre,
                  ].map(head => (
                    <th key={head} scope="col">
                      {head}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {lacking.map(({ pack_id, sums }) => (
                  <tr key={pack_id}>
                    <th scope="row">
                      <a href={`/pack/${encodeURIComponent(pack_id)}`}>{pack_id}</a>
                    </th>
                    <td>{formatShare(freshOf(sums), sums.expected)}</td>
                    <td>{formatCount(sums.expected)}</td>
                    <td>{formatCount(Math.max(0, sums.expected - sums.received))}</td>
                    <td>{formatCount(sums.received - sums.stored)}</td>
                    <td>{formatCount(sums.repeated)}</td>
                    <td>{sums.synced === null ? '–' : formatCount(sums.stored - sums.synced)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Section>
    </>
  );
}

function Total({ label, value, note }: { label: string; value: string; note: string }) {
  return (
    <div class="total">
      <dt>{label}</dt>
      <dd>
        <span class="value">{value}</span>
        <span class="total-note">{note}</span>
      </dd>
    </div>
  );
}

const ZERO: Sums = { expected: 0, received: 0, stored: 0, repeated: 0, synced: 0 };

/** Of a pack that had reported something since the reading before. */
const freshOf = ({ stored, repeated }: Sums) => stored - repeated;

function sumsOf({ expected, received, stored, repeated, synced }: PackCompleteness): Sums {
  return expected.reduce<Sums>(
    (total, _, i) =>
      plus(total, {
        expected: expected[i],
        received: received[i],
        stored: stored[i],
        repeated: repeated[i],
        synced: synced[i],
      }),
    ZERO,
  );
}

function plus(a: Sums, b: Sums): Sums {
  return {
    expected: a.expected + b.expected,
    received: a.received + b.received,
    stored: a.stored + b.stored,
    repeated: a.repeated + b.repeated,
    synced: a.synced === null || b.synced === null ? null : a.synced + b.synced,
  };
}
