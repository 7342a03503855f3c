/** Roles and batteries, as accounts and API keys have them. */
import { ROLES, type Role } from '../../../../core/contract/roles.ts';
import { useRoom } from '../../live/live.ts';
import { Segments } from '../../parts/controls.tsx';
import { t } from '../../texts/texts.ts';

export function RoleSwitch({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
  return (
    <Segments
      label={t().roles.role}
      value={role}
      onChange={onChange}
      options={ROLES.map(value => ({
        value,
        text: t().roles.short[value],
      }))}
    />
  );
}

export function BatteryChecks({ chosen, legend }: { chosen: readonly string[]; legend: string }) {
  const batteries = useRoom<'fleet'>('fleet').value.data?.batteries ?? [];
  return (
    <fieldset class="checks">
      <legend>{legend}</legend>
      {batteries.map(({ id, name }) => (
        <label class="check" key={id}>
          <input type="checkbox" name="batteries" value={id} defaultChecked={chosen.includes(id)} />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** An administrator sees all batteries: none needs to be chosen. */
export function chosenBatteries(fields: FormData, role: Role): string[] {
  return role === 'admin' ? [] : fields.getAll('batteries').map(String);
}

export function Sees({ role, batteries }: { role: Role; batteries: readonly string[] }) {
  const known = useRoom<'fleet'>('fleet').value.data?.batteries ?? [];
  const text = t().roles;
  if (role === 'admin') return <>{text.seesAll}</>;
  if (batteries.length === 0) return <>{text.seesNone}</>;
  const names = batteries.map(id => known.find(battery => battery.id === id)?.name ?? id);
  return <>{text.sees(names.join(', '))}</>;
}
