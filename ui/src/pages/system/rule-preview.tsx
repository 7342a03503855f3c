/** What edited alert rules would have raised in the last days, beside the rules as they hold. */
import type { PreviewedAlert, RulePreviewReply } from '../../../../core/contract/rule-preview.ts';
import { formatFromTo, formatMoment, formatSpan } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { SeverityBadge } from '../../parts/badges.tsx';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';

export function RulePreviewCard({ preview }: { preview: RulePreviewReply }) {
  const text = t().thresholds.preview;
  const { rules, from_ms, to_ms, would_raise, as_now } = preview;
  if (rules.length === 0) return <p class="quiet">{text.unchanged}</p>;
  const span = formatSpan(to_ms - from_ms);
  return (
    <section class="card rule-preview" role="status">
      <h3>{text.result(span, would_raise.count, as_now.count)}</h3>
      <p class="quiet">{lookedAtText(preview)}</p>
      {would_raise.count > 0 && <PreviewedList title={text.wouldRaise} raised={would_raise} />}
      {as_now.count > 0 && <PreviewedList title={text.asNow} raised={as_now} />}
    </section>
  );
}

function lookedAtText({ packs, looked_at, from_ms }: RulePreviewReply): string {
  const text = t().thresholds.preview;
  const now = now_ms.value;
  if (looked_at.from_ms === null || looked_at.to_ms === null) return text.noReadings(packs);
  const span = formatFromTo(looked_at.from_ms, looked_at.to_ms, now);
  const parts = [text.lookedAt(looked_at.readings, packs, span)];
  if (!looked_at.is_whole) parts.push(text.notWhole(formatMoment(looked_at.to_ms, now)));
  // What retention has taken, or was before the first reading.
  if (looked_at.from_ms - from_ms > 3_600_000)
    parts.push(text.noneBefore(formatMoment(looked_at.from_ms, now)));
  if (looked_at.undecodable > 0) parts.push(text.undecodable(looked_at.undecodable));
  return parts.join(' ');
}

interface PreviewedListProps {
  readonly title: string;
  readonly raised: RulePreviewReply['would_raise'];
}

function PreviewedList({ title, raised: { count, alerts } }: PreviewedListProps) {
  const more = count - alerts.length;
  return (
    <details class="alert-details" open={count <= 10}>
      <summary>{t().thresholds.preview.counted(title, count)}</summary>
      <ul class="previewed">
        {alerts.map(alert => (
          <li key={`${alert.rule_id} ${alert.pack_id} ${alert.raised_ms}`}>
            <Previewed alert={alert} />
          </li>
        ))}
      </ul>
      {more > 0 && <p class="quiet">{t().thresholds.preview.more(more)}</p>}
    </details>
  );
}

function lastedText({ raised_ms, cleared_ms }: PreviewedAlert): string {
  return cleared_ms === null
    ? t().thresholds.preview.holds
    : t().alerts.lasted(formatSpan(cleared_ms - raised_ms));
}

function Previewed({ alert }: { alert: PreviewedAlert }) {
  const { place, placeOfCell } = t().alerts;
  const { battery_name, pack_name, cell_no, page_path, message, severity } = alert;
  const where =
    cell_no === null ? place(battery_name, pack_name) : placeOfCell(battery_name, pack_name, cell_no);
  return (
    <>
      <SeverityBadge severity={severity} /> <span>{message}</span>
      <span class="quiet">
        {page_path === null ? (
          where
        ) : (
          <a class="alert-where" href={page_path}>
            {where} <Icon name="chevron" size={16} />
          </a>
        )}{' '}
        {formatMoment(alert.raised_ms, now_ms.value)}, {lastedText(alert)}
      </span>
    </>
  );
}
