/** Every part of the gateway: how it is, why, and what it counted. */
import { useRef } from 'preact/hooks';
import type { ComponentStatus } from '../../../../core/contract/http.ts';
import { isAdmin } from '../../api/session.ts';
import { componentTitle, counterTitle, counterValue, isConnection, STATE_RANK } from '../../format/system.ts';
import { faultClass, StateBadge } from '../../parts/badges.tsx';
import { Section } from '../../parts/controls.tsx';
import { Fact } from '../../parts/value.tsx';
import { t } from '../../texts/texts.ts';
import { ConfirmClock } from './confirm-clock.tsx';

export function Components({ components }: { components: readonly ComponentStatus[] }) {
  const text = t().components;
  const connections = components.filter(isConnection);
  const parts = components.filter(component => !isConnection(component));
  return (
    <>
      <Section title={text.connections}>
        <IllFirst components={connections} working={text.connectionsWork} />
      </Section>
      <Section title={text.parts}>
        <IllFirst components={parts} working={text.partsWork} />
      </Section>
    </>
  );
}

interface IllFirstProps {
  readonly components: readonly ComponentStatus[];
  readonly working: (n: number) => string;
}

/** What is not well stands open, and stays where it is once it is well again; the rest is folded away. */
function IllFirst({ components, working }: IllFirstProps) {
  const seenIll = useRef(new Set<string>()).current;
  if (components.length === 0) return <p class="quiet">{t().components.none}</p>;
  const sorted = [...components].sort((a, b) => STATE_RANK[a.state] - STATE_RANK[b.state]);
  for (const { name, state } of sorted) if (STATE_RANK[state] < STATE_RANK.ok) seenIll.add(name);
  const ill = sorted.filter(({ name }) => seenIll.has(name));
  const well = sorted.filter(({ name }) => !seenIll.has(name));
  return (
    <>
      {ill.length > 0 && <ComponentList components={ill} />}
      {well.length > 0 && (
        <details class="more">
          <summary>{working(well.length)}</summary>
          <ComponentList components={well} />
        </details>
      )}
    </>
  );
}

function ComponentList({ components }: { components: readonly ComponentStatus[] }) {
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
  return (
    <article class={`card component-card ${faultClass(component.state)}`}>
      <div class="card-head">
        <h3>{componentTitle(component.name)}</h3>
        <StateBadge state={component.state} />
      </div>
      {component.reason && <p class="card-reason">{component.reason}</p>}
      {component.name === 'clock' && isAdmin() && <ConfirmClock is_certain={component.state === 'ok'} />}
      {Object.keys(component.counters).length > 0 && (
        <details class="more">
          <summary>{t().components.counters}</summary>
          <Counters counters={component.counters} />
        </details>
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
