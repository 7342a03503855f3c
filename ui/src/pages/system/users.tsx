/** Accounts: who may log in, as what, and which batteries they see. */
import { useState } from 'preact/hooks';
import type { UserRecord, UsersReply } from '../../../../core/contract/access.ts';
import { ask, session } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { formatMoment } from '../../format/time.ts';
import { now_ms, useRoom } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';
import { EditUser, NewUser, ROLE_WORDS } from './user-forms.tsx';

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
  const [doing, setDoing] = useState<'nothing' | 'editing' | 'removing'>('nothing');
  const [isSaved, setSaved] = useState(false);
  const isSelf = session.value.user?.username === user.username;
  const edited = (changed: UserRecord | undefined) => {
    setDoing('nothing');
    setSaved(changed !== undefined);
    if (changed) void onChanged();
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
        <Sees user={user} /> · since {formatMoment(user.created_ms, now_ms.value)}
      </p>
      {isSaved && (
        <p class="form-good" role="status">
          <Icon name="check" /> Saved.
        </p>
      )}
      {doing === 'nothing' && (
        <div class="form-row">
          <button type="button" class="button" onClick={() => setDoing('editing')}>
            Edit<span class="visually-hidden"> {user.username}</span>
          </button>
          {!isSelf && (
            <button type="button" class="button" onClick={() => setDoing('removing')}>
              Remove<span class="visually-hidden"> {user.username}</span>
            </button>
          )}
        </div>
      )}
      {doing === 'editing' && <EditUser user={user} onDone={edited} />}
      {doing === 'removing' && (
        <RemoveUser user={user} onRemoved={onChanged} onKept={() => setDoing('nothing')} />
      )}
    </article>
  );
}

function Sees({ user }: { user: UserRecord }) {
  const known = useRoom<'fleet'>('fleet').value.data?.batteries ?? [];
  if (user.role === 'admin') return <>Sees all batteries</>;
  if (user.batteries.length === 0) return <>No battery assigned</>;
  const names = user.batteries.map(id => known.find(battery => battery.id === id)?.name ?? id);
  return <>Sees {names.join(', ')}</>;
}

interface RemoveUserProps {
  readonly user: UserRecord;
  readonly onRemoved: () => Promise<void>;
  readonly onKept: () => void;
}

function RemoveUser({ user, onRemoved, onKept }: RemoveUserProps) {
  const [failure, setFailure] = useState('');
  const remove = async () => {
    try {
      await ask(`/api/admin/users/${encodeURIComponent(user.username)}`, { method: 'DELETE' });
      await onRemoved();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <>
      {failure && (
        <p class="form-error" role="alert">
          {failure}
        </p>
      )}
      <div class="form-row">
        <button type="button" class="button button-danger" onClick={() => void remove()}>
          Remove {user.username}
        </button>
        <button type="button" class="button" onClick={onKept}>
          Keep
        </button>
      </div>
    </>
  );
}
