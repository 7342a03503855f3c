/** The gateway itself; for administrators also users, thresholds and, while it runs, the simulator. */

import { useEffect } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import type { SystemStatus } from '../../../../core/contract/http.ts';
import { atLeast } from '../../api/session.ts';
import { type Sentence, sentencesOf } from '../../format/system.ts';
import { formatUptime } from '../../format/time.ts';
import { useRoom } from '../../live/live.ts';
import { StateBadge } from '../../parts/badges.tsx';
import { PageHead, Section } from '../../parts/controls.tsx';
import { NotFound, RoomView } from '../../parts/notice.tsx';
import { useTitle } from '../../parts/title.ts';
import { t } from '../../texts/texts.ts';
import { Audit } from '../access/audit.tsx';
import { ApiKeys } from '../access/keys.tsx';
import { Users } from '../access/users.tsx';
import { Certificate } from './certificate.tsx';
import { Completeness } from './completeness.tsx';
import { Components } from './components.tsx';
import { Export } from './export.tsx';
import { Notifications } from './notifications.tsx';
import { SimulatorFaults } from './simulator.tsx';
import { Thresholds } from './thresholds.tsx';

const SECTIONS = [
  { path: '', name: 'status', role: 'user', view: Status },
  { path: 'completeness', name: 'completeness', role: 'moderator', view: Completeness },
  { path: 'export', name: 'export', role: 'user', view: Export },
  { path: 'users', name: 'users', role: 'admin', view: Users },
  { path: 'keys', name: 'keys', role: 'admin', view: ApiKeys },
  { path: 'audit', name: 'audit', role: 'admin', view: Audit },
  { path: 'thresholds', name: 'thresholds', role: 'admin', view: Thresholds },
  { path: 'notifications', name: 'notifications', role: 'admin', view: Notifications },
  { path: 'simulator', name: 'simulator', role: 'admin', view: SimulatorFaults },
] as const;

export function SystemPage() {
  const text = t().system;
  const { section = '' } = useRoute().params;
  const allowed = SECTIONS.filter(({ role }) => atLeast(role));
  const current = allowed.find(({ path }) => path === section);
  useEffect(() => {
    const tab = document.querySelector('.tab[aria-current]');
    tab?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [section]);
  useTitle(current && current.path !== '' ? text[current.name] : text.title);
  if (!current) return <NotFound />;
  return (
    <>
      <PageHead title={text.title} />
      {allowed.length > 1 && (
        <nav class="tabs" aria-label={text.sections}>
          {allowed.map(({ path, name }) => (
            <a
              key={path}
              class="tab"
              href={path ? `/system/${path}` : '/system'}
              aria-current={path === section ? 'page' : undefined}
            >
              {text[name]}
            </a>
          ))}
        </nav>
      )}
      <current.view />
    </>
  );
}

function Status() {
  const room = useRoom<'system'>('system');
  return (
    <RoomView room={room} place={t().system.place}>
      {status => <StatusView status={status} />}
    </RoomView>
  );
}

function StatusView({ status }: { status: SystemStatus }) {
  const text = t().system;
  return (
    <>
      <Sentences sentences={sentencesOf(status.components)} />
      <Components components={status.components} />
      <dl class="totals">
        <div class="total">
          <dt>{text.gateway}</dt>
          <dd>
            <StateBadge state={status.state} />
            <span class="total-note">{status.gateway_id}</span>
          </dd>
        </div>
        <div class="total">
          <dt>{text.runningFor}</dt>
          <dd>
            <span class="value">{formatUptime(status.uptime_s)}</span>
          </dd>
        </div>
        <div class="total">
          <dt>{text.version}</dt>
          <dd>
            <span class="value">{status.version}</span>
          </dd>
        </div>
      </dl>
      <Certificate certificate={status.certificate} />
      <p class="quiet">
        {text.forPrograms(words => (
          <a href="/api/docs" target="_blank" rel="noreferrer">
            {words}
          </a>
        ))}
      </p>
    </>
  );
}

function Sentences({ sentences }: { sentences: readonly Sentence[] }) {
  const text = t().system.sentences;
  return (
    <Section title={text.title} class="card">
      <ul class="sentences">
        {sentences.map(({ title, state, text: said }) => (
          <li key={title}>
            <h3>{title}</h3>
            <StateBadge state={state} />
            <p>{said}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}
