/** Every part of the gateway: how it is, why, and what it counted. */
import type { ComponentStatus } from '../../../../core/contract/http.ts';
import { isAdmin } from '../../api/session.ts';
import { componentTitle, counterTitle, counterValue, isConnection } from '../../format/system.ts';
import { faultClass, StateBadge } from '../../parts/badges.tsx';
import { Section } from '../../parts/controls.tsx';
import { Fact } from '../../parts/value.tsx';
import { t } from '../../texts/texts.ts';
import { ConfirmClock } from './confirm-clock.tsx';

const RANK: Readonly<Record<ComponentStatus['state'], number>> = { down: 0, degraded: 1, ok: 2, off: 3 };

export function Components({ components }: { components: readonly ComponentStatus[] }) {
  const text = t().components;
  const sorted = [...components].sort((a, b) => RANK[a.state] - RANK[b.state]);
  return (
    <>
      <Section title={text.parts}>
        <ComponentList components={sorted.filter(component => !isConnection(component))} />
      </Section>
      <Section title={text.connections}>
        <ComponentList components={sorted.filter(isConnection)} />
      </Section>
    </>
  );
}

function ComponentList({ components }: { components: readonly ComponentStatus[] }) {
  if (components.length === 0) return <p class="quiet">{t().components.none}</p>;
  return (
    <ul class="card-grid">
      {components.map(component => (
        <li key={component.name}>
          <ComponentCard component={component} />
        </li>
      ))}
    </ul>
  );
}

function ComponentCard({ component }: { component: ComponentStatus }) {
  const isQuiet = isConnection(component) && component.state === 'ok';
  return (
    <article class={`card component-card ${faultClass(component.state)}`}>
      <div class="card-head">
        <h3>{componentTitle(component.name)}</h3>
        <StateBadge state={component.state} />
      </div>
      {component.reason && <p class="card-reason">{component.reason}</p>}
      {component.name === 'clock' && isAdmin() && <ConfirmClock is_certain={component.state === 'ok'} />}
      {isQuiet ? (
        <details class="more">
          <summary>{t().components.counters}</summary>
          <Counters counters={component.counters} />
        </details>
      ) : (
        <Counters counters={component.counters} />
      )}
    </article>
  );
}

function Counters({ counters }: { counters: ComponentStatus['counters'] }) {
  return (
    <dl class="list-facts counters">
      {Object.entries(counters).map(([name, value]) => (
        <Fact key={name} label={counterTitle(name)}>
          <span class="value">{counterValue(name, value)}</span>
        </Fact>
      ))}
    </dl>
  );
}
