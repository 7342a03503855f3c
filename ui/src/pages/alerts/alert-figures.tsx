/** How well alerts serve the people who get them: figures of the last 30 days, for moderators. */
import type { AlertReport } from '../../../../core/contract/http.ts';
import { useAsk } from '../../api/use-ask.ts';
import { cellHref } from '../../format/health.ts';
import { formatNumber } from '../../format/numbers.ts';
import { formatMoment, formatSpan } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';

/** What one person can answer, by ISA-18.2. */
const GOAL_PER_10_MIN = 1;
const GOAL_FLOOD_PCT = 1;

export function AlertFigures() {
  const { data, error } = useAsk<AlertReport>('/api/reports/alerts');
  const text = t().alerts.figures;
  if (error)
    return (
      <Notice icon="triangle" title={text.failed} tone="critical">
        <p>{error.message}</p>
      </Notice>
    );
  if (!data) return <Loading text={text.loading} />;
  return <Figures report={data} />;
}

function Figures({ report }: { report: AlertReport }) {
  const text = t().alerts.figures;
  const { per_day, per_10_min, peak_10_min, peak_ms, floods, flood_pct, acknowledged } = report;
  const spanOf = (span_ms: number | null) => (span_ms === null ? text.never : formatSpan(span_ms));
  const facts: [string, string, string][] = [
    [text.perDay, formatNumber(per_day, 1), text.total(report.count)],
    [
      text.perTenMinutes,
      formatNumber(per_10_min, 2),
      per_10_min <= GOAL_PER_10_MIN ? text.goal : text.aboveGoal,
    ],
    [text.peak, String(peak_10_min), peak_ms === null ? text.never : formatMoment(peak_ms, now_ms.value)],
    [text.floods, String(floods), flood_pct <= GOAL_FLOOD_PCT ? text.fewFloods : text.floodShare(flood_pct)],
    [
      text.toAcknowledge,
      spanOf(report.to_acknowledge_median_ms),
      acknowledged === 0
        ? text.noneAcknowledged
        : text.acknowledged(acknowledged, spanOf(report.to_acknowledge_p90_ms)),
    ],
  ];
  return (
    <>
      <p class="quiet">{text.help}</p>
      <dl class="totals">
        {facts.map(([label, value, note]) => (
          <div class="total" key={label}>
            <dt>{label}</dt>
            <dd>
              <span class="total-value">{value}</span>
              <span class="total-note">{note}</span>
            </dd>
          </div>
        ))}
      </dl>
      <AlertCounts title={text.mostFrequent} alerts={report.most_frequent} none={text.noAlert} />
      <AlertCounts title={text.chattering} alerts={report.chattering} none={text.noChatter} />
      <Section title={text.stale}>
        {report.stale.length === 0 ? (
          <p class="quiet">{text.noStale}</p>
        ) : (
          <ul class="list-facts">
            {report.stale.map(({ rule_id, rule_label, pack_id, pack_name, since_ms }) => (
              <li key={`${rule_id} ${pack_id}`}>
                <span class="rule-label">{rule_label ?? rule_id}</span>{' '}
                {text.staleOne(pack_name, formatMoment(since_ms, now_ms.value))}
              </li>
            ))}
          </ul>
        )}
      </Section>
    </>
  );
}

interface AlertCountsProps {
  readonly title: string;
  readonly alerts: AlertReport['most_frequent'];
  readonly none: string;
}

function AlertCounts({ title, alerts, none }: AlertCountsProps) {
  const text = t().alerts.figures;
  return (
    <Section title={title}>
      {alerts.length === 0 ? (
        <p class="quiet">{none}</p>
      ) : (
        <div class="table-scroll">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{text.rule}</th>
                <th scope="col">{text.pack}</th>
                <th scope="col">{text.times}</th>
                <th scope="col">{text.share}</th>
              </tr>
            </thead>
            <tbody>
              {alerts.map(({ rule_id, rule_label, pack_id, pack_name, count, share_pct }) => (
                <tr key={`${rule_id} ${pack_id}`}>
                  <th scope="row" class="rule-label">
                    {rule_label ?? rule_id}
                  </th>
                  <td>
                    {pack_id === null ? (
                      t().alerts.gateway
                    ) : (
                      <a href={cellHref(pack_id, null)}>{pack_name ?? pack_id}</a>
                    )}
                  </td>
                  <td>{count}</td>
                  <td>{text.percent(share_pct)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
