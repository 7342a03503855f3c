/** Adding an account, and changing one: role, batteries, password. */
import { useState } from 'preact/hooks';
import type { NewUserBody, UserChangeBody, UserRecord } from '../../../../core/contract/access.ts';
import type { Role } from '../../../../core/contract/model.ts';
import { ask, session } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { useRoom } from '../../live/live.ts';
import { Segments } from '../../parts/controls.tsx';
import { Icon } from '../../parts/icons.tsx';

export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  user: 'User',
  moderator: 'Moderator',
  admin: 'Administrator',
};

export function NewUser({ onAdded }: { onAdded: () => Promise<void> }) {
  const [role, setRole] = useState<Role>('user');
  const [failure, setFailure] = useState('');
  const [added, setAdded] = useState('');

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const body: NewUserBody = {
      username: String(fields.get('username')),
      password: String(fields.get('password')),
      role,
      batteries: chosenBatteries(fields, role),
    };
    setFailure('');
    setAdded('');
    try {
      const user = await ask<UserRecord>('/api/admin/users', { method: 'POST', body });
      setAdded(user.username);
      form.reset();
      await onAdded();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };

  return (
    <form class="card form" onSubmit={submit}>
      <label class="field">
        <span>User name</span>
        <input
          name="username"
          required
          pattern="[a-z0-9][a-z0-9_.\-]{0,31}"
          title="Small letters, digits, dot, dash and underscore; at most 32"
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
        />
      </label>
      <PasswordField label="Password, at least 8 characters" isRequired />
      <RoleSwitch role={role} onChange={setRole} />
      {role !== 'admin' && <BatteryChecks chosen={[]} />}
      <Failure text={failure} />
      {added && (
        <p class="form-good" role="status">
          <Icon name="check" /> {added} can log in now.
        </p>
      )}
      <button type="submit" class="button button-main">
        Add account
      </button>
    </form>
  );
}

interface EditUserProps {
  readonly user: UserRecord;
  /** With what the gateway says of the account now. */
  readonly onDone: (changed: UserRecord | undefined) => void;
}

/** Nobody can take the administrator's role from themselves here: it would lock them out of this page. */
export function EditUser({ user, onDone }: EditUserProps) {
  const [role, setRole] = useState(user.role);
  const [failure, setFailure] = useState('');
  const isSelf = session.value.user?.username === user.username;

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const password = String(fields.get('password'));
    const body: UserChangeBody = {
      ...(isSelf ? {} : { role }),
      ...(role === 'admin' ? {} : { batteries: chosenBatteries(fields, role) }),
      ...(password && { password }),
    };
    setFailure('');
    try {
      const path = `/api/admin/users/${encodeURIComponent(user.username)}`;
      onDone(await ask<UserRecord>(path, { method: 'PUT', body }));
    } catch (error) {
      setFailure(messageOf(error));
    }
  };

  return (
    <form class="form" onSubmit={submit}>
      {!isSelf && <RoleSwitch role={role} onChange={setRole} />}
      {role !== 'admin' && <BatteryChecks chosen={user.batteries} />}
      <PasswordField label="New password, empty: stays as it is" />
      <p class="quiet">
        {isSelf
          ? 'A new password ends your sessions: you log in again with it.'
          : 'A new password ends the sessions of this account.'}
      </p>
      <Failure text={failure} />
      <div class="form-row">
        <button type="submit" class="button button-main">
          Save
        </button>
        <button type="button" class="button" onClick={() => onDone(undefined)}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function PasswordField({ label, isRequired = false }: { label: string; isRequired?: boolean }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        name="password"
        type="password"
        required={isRequired}
        minLength={8}
        maxLength={1024}
        autocomplete="new-password"
      />
    </label>
  );
}

function RoleSwitch({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
  return (
    <Segments
      label="Role"
      value={role}
      onChange={onChange}
      options={(['user', 'moderator', 'admin'] as const).map(value => ({
        value,
        text: value === 'admin' ? 'Admin' : ROLE_WORDS[value],
      }))}
    />
  );
}

function BatteryChecks({ chosen }: { chosen: readonly string[] }) {
  const batteries = useRoom<'fleet'>('fleet').value.data?.batteries ?? [];
  return (
    <fieldset class="checks">
      <legend>Batteries this account sees</legend>
      {batteries.map(({ id, name }) => (
        <label class="check" key={id}>
          <input type="checkbox" name="batteries" value={id} defaultChecked={chosen.includes(id)} />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Failure({ text }: { text: string }) {
  if (!text) return null;
  return (
    <p class="form-error" role="alert">
      <Icon name="octagon" /> {text}
    </p>
  );
}

/** An administrator sees all batteries: none needs to be chosen. */
function chosenBatteries(fields: FormData, role: Role): string[] {
  return role === 'admin' ? [] : fields.getAll('batteries').map(String);
}
