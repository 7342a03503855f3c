/** Accounts: who may log in, as what, and which batteries they see. */
import { useState } from 'preact/hooks';
import type { NewUserBody, UserRecord, UsersReply } from '../../../../core/contract/http.ts';
import type { Role } from '../../../../core/contract/model.ts';
import { ask, session } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { formatMoment } from '../../format/time.ts';
import { now_ms, useRoom } from '../../live/live.ts';
import { Section, Segments } from '../../parts/controls.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';

const ROLE_WORDS: Readonly<Record<Role, string>> = {
  user: 'User',
  moderator: 'Moderator',
  admin: 'Administrator',
};

export function Users() {
  const { data, error, reload } = useAsk<UsersReply>('/api/admin/users');
  if (error && !data) {
    return (
      <Notice icon="triangle" title="The users could not be loaded" tone="critical">
        <p>{error.message}</p>
      </Notice>
    );
  }
  if (!data) return <Loading what="users" />;
  return (
    <div class="two-columns">
      <Section title="Accounts">
        <ul class="user-list">
          {data.users.map(user => (
            <li key={user.username}>
              <UserCard user={user} onChanged={reload} />
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Add an account">
        <NewUser onAdded={reload} />
      </Section>
    </div>
  );
}

function UserCard({ user, onChanged }: { user: UserRecord; onChanged: () => Promise<void> }) {
  const [isAsking, setAsking] = useState(false);
  const [failure, setFailure] = useState('');
  const isSelf = session.value.user?.username === user.username;
  const remove = async () => {
    try {
      await ask(`/api/admin/users/${encodeURIComponent(user.username)}`, { method: 'DELETE' });
      await onChanged();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <article class="card user-card">
      <div class="card-head">
        <h3>
          {user.username}
          {isSelf && <span class="unit"> (you)</span>}
        </h3>
        <span class="badge tone-quiet">{ROLE_WORDS[user.role]}</span>
      </div>
      <p class="quiet">
        {user.role === 'admin' ? 'Sees all batteries' : user.batteries.join(', ') || 'No battery assigned'} ·
        since {formatMoment(user.created_ms, now_ms.value)}
      </p>
      {failure && (
        <p class="form-error" role="alert">
          {failure}
        </p>
      )}
      {!isSelf && !isAsking && (
        <button type="button" class="button button-quiet" onClick={() => setAsking(true)}>
          Remove<span class="visually-hidden"> {user.username}</span>
        </button>
      )}
      {isAsking && (
        <div class="form-row">
          <button type="button" class="button button-danger" onClick={() => void remove()}>
            Remove {user.username}
          </button>
          <button type="button" class="button" onClick={() => setAsking(false)}>
            Keep
          </button>
        </div>
      )}
    </article>
  );
}

function NewUser({ onAdded }: { onAdded: () => Promise<void> }) {
  const [role, setRole] = useState<Role>('user');
  const [failure, setFailure] = useState('');
  const [added, setAdded] = useState('');
  const batteries = useRoom<'fleet'>('fleet').value.data?.batteries ?? [];

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const body: NewUserBody = {
      username: String(fields.get('username')),
      password: String(fields.get('password')),
      role,
      batteries: role === 'admin' ? [] : fields.getAll('batteries').map(String),
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
      <label class="field">
        <span>Password, at least 8 characters</span>
        <input
          name="password"
          type="password"
          required
          minLength={8}
          maxLength={1024}
          autocomplete="new-password"
        />
      </label>
      <Segments
        label="Role"
        value={role}
        onChange={setRole}
        options={(['user', 'moderator', 'admin'] as const).map(value => ({
          value,
          text: value === 'admin' ? 'Admin' : ROLE_WORDS[value],
        }))}
      />
      {role !== 'admin' && (
        <fieldset class="checks">
          <legend>Batteries this account sees</legend>
          {batteries.map(battery => (
            <label class="check" key={battery.id}>
              <input type="checkbox" name="batteries" value={battery.id} />
              <span>{battery.name}</span>
            </label>
          ))}
        </fieldset>
      )}
      {failure && (
        <p class="form-error" role="alert">
          <Icon name="octagon" /> {failure}
        </p>
      )}
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
