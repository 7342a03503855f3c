/** Adding an account, and changing one: role, batteries, password. */
import { useState } from 'preact/hooks';
import type { NewUserBody, UserChangeBody, UserRecord } from '../../../../core/contract/access.ts';
import type { Role } from '../../../../core/contract/roles.ts';
import { ask, session } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { Failure, NameField, PasswordField, Success } from '../../parts/fields.tsx';
import { t } from '../../texts/texts.ts';
import { BatteryChecks, chosenBatteries, RoleSwitch } from './roles.tsx';

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
      must_change_password: fields.has('must_change_password'),
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
    <form class="card form" onSubmit={submit} autocomplete="off">
      <NameField isNew />
      <PasswordField label={t().fields.firstPassword} autocomplete="new-password" />
      <MustChange isChecked />
      <RoleSwitch role={role} onChange={setRole} />
      {role !== 'admin' && <BatteryChecks chosen={[]} legend={t().users.batteries} />}
      <Failure text={failure} />
      {added && <Success>{t().users.added(added)}</Success>}
      <button type="submit" class="button button-main">
        {t().users.addAccount}
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
  const text = t().users;
  const [role, setRole] = useState(user.role);
  const [failure, setFailure] = useState('');
  const isSelf = session.value.user?.username === user.username;

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const password = String(fields.get('password') ?? '');
    const body: UserChangeBody = {
      ...(isSelf ? {} : { role }),
      ...(role === 'admin' ? {} : { batteries: chosenBatteries(fields, role) }),
      ...(password && { password, must_change_password: fields.has('must_change_password') }),
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
    <form class="form" onSubmit={submit} autocomplete="off">
      {!isSelf && <RoleSwitch role={role} onChange={setRole} />}
      {role !== 'admin' && <BatteryChecks chosen={user.batteries} legend={t().users.batteries} />}
      {isSelf ? (
        <p class="quiet">
          {text.ownPassword(words => (
            <a href="/account">{words}</a>
          ))}
        </p>
      ) : (
        <>
          <PasswordField label={text.newPassword} autocomplete="new-password" isRequired={false} />
          <MustChange isChecked />
          <p class="quiet">{text.endsSessions}</p>
        </>
      )}
      <Failure text={failure} />
      <div class="form-row">
        <button type="submit" class="button button-main">
          {t().common.save}
        </button>
        <button type="button" class="button" onClick={() => onDone(undefined)}>
          {t().common.cancel}
        </button>
      </div>
    </form>
  );
}

function MustChange({ isChecked }: { isChecked: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" name="must_change_password" defaultChecked={isChecked} />
      <span>{t().users.mustChange}</span>
    </label>
  );
}
