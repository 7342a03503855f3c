/** Roles and batteries, as accounts and API keys have them. */
import { ROLES, type Role } from '../../../../core/contract/roles.ts';
import { useRoom } from '../../live/live.ts';
import { Segments } from '../../parts/controls.tsx';

export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  user: 'User',
  moderator: 'Moderator',
  admin: 'Administrator',
};

export const ROLE_MEANINGS: Readonly<Record<Role, string>> = {
  user: 'sees the batteries assigned',
  moderator: 'sees the batteries in their care, handles alerts',
  admin: 'sees everything, changes users and settings',
};

export function RoleSwitch({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
  return (
    <Segments
      label="Role"
      value={role}
      onChange={onChange}
      options={ROLES.map(value => ({
        value,
        text: value === 'admin' ? 'Admin' : ROLE_WORDS[value],
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
  if (role === 'admin') return <>Sees all batteries</>;
  if (batteries.length === 0) return <>No battery assigned</>;
  const names = batteries.map(id => known.find(battery => battery.id === id)?.name ?? id);
  return <>Sees {names.join(', ')}</>;
}
