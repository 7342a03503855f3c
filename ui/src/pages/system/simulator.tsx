/** Faults for simulated packs: a safe place to see how faults look. Absent where real hardware is read. */
import { useState } from 'preact/hooks';
import type { FaultReply, FaultsReply } from '../../../../core/contract/http.ts';
import type { BatteryDetail } from '../../../../core/contract/model.ts';
import { ask } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { byName } from '../../format/rank.ts';
import { humanise } from '../../format/system.ts';
import { useRoom } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';

const KINDS = ['weak_cell', 'overheating', 'stuck_sensor', 'dead_unit'] as const;
type Kind = (typeof KINDS)[number];

/** What the page needs of a fault; the gateway may say more. */
interface Fault {
  readonly id?: string;
  readonly kind?: string;
  readonly pack?: string;
  readonly cell?: number;
  readonly state?: string;
}

export function SimulatorFaults() {
  const { data, error, reload } = useAsk<FaultsReply>('/api/admin/simulation/faults');
  const text = t().simulator;
  if (error?.status === 404) {
    return (
      <Notice icon="flask" title={text.absent.title}>
        <p>{text.absent.text}</p>
      </Notice>
    );
  }
  if (error && !data) {
    return (
      <Notice icon="triangle" title={text.failed} tone="critical">
        <p>{error.message}</p>
      </Notice>
    );
  }
  if (!data) return <Loading text={text.loading} />;
  return (
    <div class="two-columns">
      <Section title={text.faults}>
        {data.faults.length === 0 && <p class="card quiet">{text.none}</p>}
        <ul class="user-list">
          {(data.faults as readonly Fault[]).map(fault => (
            <li key={fault.id}>
              <FaultCard fault={fault} onChanged={reload} />
            </li>
          ))}
        </ul>
      </Section>
      <Section title={text.cause}>
        <NewFault onAdded={reload} />
      </Section>
    </div>
  );
}

function titleOf(kind: string | undefined): string {
  const { kinds, fault } = t().simulator;
  const known = KINDS.find(one => one === kind);
  return known ? kinds[known] : humanise(kind ?? fault);
}

function stateOf(state: string): string {
  const { states } = t().simulator;
  return state === 'waiting' || state === 'active' ? states[state] : humanise(state);
}

function FaultCard({ fault, onChanged }: { fault: Fault; onChanged: () => Promise<void> }) {
  const text = t().simulator;
  const [failure, setFailure] = useState('');
  const remove = async () => {
    try {
      await ask(`/api/admin/simulation/faults/${encodeURIComponent(fault.id ?? '')}`, { method: 'DELETE' });
      await onChanged();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <article class="card user-card">
      <div class="card-head">
        <h3>{titleOf(fault.kind)}</h3>
        {fault.state && <span class="badge tone-quiet">{stateOf(fault.state)}</span>}
      </div>
      <p class="quiet">
        {fault.pack && <a href={`/pack/${encodeURIComponent(fault.pack)}`}>{fault.pack}</a>}
        {fault.cell !== undefined && text.andCell(fault.cell)}
      </p>
      {failure && (
        <p class="form-error" role="alert">
          {failure}
        </p>
      )}
      {fault.id && (
        <button type="button" class="button" onClick={() => void remove()}>
          {text.repair}
          <span class="visually-hidden"> {fault.id}</span>
        </button>
      )}
    </article>
  );
}

function NewFault({ onAdded }: { onAdded: () => Promise<void> }) {
  const text = t().simulator;
  const [kind, setKind] = useState<Kind>('weak_cell');
  const [failure, setFailure] = useState('');
  const needsCell = kind !== 'dead_unit';
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const cell = needsCell ? { cell: Number(fields.get('cell')) } : {};
    setFailure('');
    try {
      await ask<FaultReply>('/api/admin/simulation/faults', {
        method: 'POST',
        body: { kind, pack: String(fields.get('pack')), ...cell },
      });
      await onAdded();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <form class="card form" onSubmit={submit}>
      <label class="field">
        <span>{text.kind}</span>
        <select value={kind} onChange={event => setKind(event.currentTarget.value as Kind)}>
          {KINDS.map(value => (
            <option key={value} value={value}>
              {text.kinds[value]}
            </option>
          ))}
        </select>
      </label>
      <PackChoice />
      {needsCell && (
        <label class="field">
          <span>{text.cellNumber}</span>
          <input name="cell" type="number" min={1} step={1} required />
        </label>
      )}
      {failure && (
        <p class="form-error" role="alert">
          <Icon name="octagon" /> {failure}
        </p>
      )}
      <button type="submit" class="button button-main">
        {text.causeIt}
      </button>
    </form>
  );
}

function PackChoice() {
  const batteries = [...(useRoom<'fleet'>('fleet').value.data?.batteries ?? [])].sort(byName);
  const [chosen, setChosen] = useState('');
  const battery = chosen || batteries[0]?.id;
  return (
    <>
      <label class="field">
        <span>{t().simulator.battery}</span>
        <select value={battery} onChange={event => setChosen(event.currentTarget.value)}>
          {batteries.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {battery !== undefined && <PackSelect key={battery} battery={battery} />}
    </>
  );
}

function PackSelect({ battery }: { battery: string }) {
  const { data } = useAsk<BatteryDetail>(`/api/battery/${encodeURIComponent(battery)}`);
  return (
    <label class="field">
      <span>{t().simulator.pack}</span>
      <select name="pack" required>
        {data?.packs.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
