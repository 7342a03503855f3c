/** What is out of service, and the alerts that call nobody for it. */
import type { AlertView } from '../../../../core/contract/model.ts';
import type { OutOfServiceView } from '../../../../core/contract/out-of-service.ts';
import { Section } from '../../parts/controls.tsx';
import { Notice } from '../../parts/notice.tsx';
import { ServiceEntry } from '../../parts/out-of-service.tsx';
import { t } from '../../texts/texts.ts';
import { AlertList } from './alert-row.tsx';

interface OutOfServiceProps {
  readonly entries: readonly OutOfServiceView[];
  readonly alerts: readonly AlertView[];
}

export function OutOfService({ entries, alerts }: OutOfServiceProps) {
  const text = t().service;
  if (entries.length === 0 && alerts.length === 0) {
    return (
      <Notice icon="check" title={text.none.title} tone="ok">
        <p>{text.none.text}</p>
      </Notice>
    );
  }
  return (
    <>
      <ul class="alert-list">
        {entries.map(entry => (
          <li key={entry.id}>
            <ServiceEntry entry={entry} />
          </li>
        ))}
      </ul>
      {alerts.length > 0 && (
        <Section title={text.alerts}>
          <AlertList alerts={alerts} />
        </Section>
      )}
    </>
  );
}
