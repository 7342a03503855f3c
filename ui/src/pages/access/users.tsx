/** Accounts: who may log in, as what, and which batteries they see; and who is logged in now. */
import { useState } from 'preact/hooks';
import type { UserRecord, UsersReply } from '../../../../core/contract/access.ts';
import { ask, session } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { formatMoment } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { Failure, Success } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Answered } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';
import { Sees } from './roles.tsx';
import { SessionList } from './session-list.tsx';
import { EditUser, NewUser } from './user-forms.tsx';

export function Users() {
  const asked = useAsk<UsersReply>('/api/admin/users');
  return (
    <Answered asked={asked} texts={t().users}>
      {({ users }) => <Accounts users={users} onChanged={asked.reload} />}
    </Answered>
  );
}

interface AccountsProps {
  readonly users: UsersReply['users'];
  readonly onChanged: () => Promise<void>;
}

function Accounts({ users, onChanged }: AccountsProps) {
  const text = t().users;
  return (
    <div class="two-columns">
      <Section title={text.accounts}>
        <ul class="user-list">
          {users.map(user => (
            <li key={user.username}>
              <UserCard user={user} onChanged={onChanged} />
            </li>
          ))}
        </ul>
      </Section>
      <div>
        <Section title={text.add}>
          <NewUser onAdded={onChanged} />
        </Section>
        <Section title={text.loggedInNow} class="card">
          <SessionList path="/api/admin/sessions" />
        </Section>
      </div>
    </div>
  );
}

type Doing = 'nothing' | 'editing' | 'removing';

function UserCard({ user, onChanged }: { user: UserRecord; onChanged: () => Promise<void> }) {
  const text = t().users;
  const [doing, setDoing] = useState<Doing>('nothing');
  const [isSaved, setSaved] = useState(false);
  const isSelf = session.value.user?.username === user.username;
  const edited = (changed: UserRecord | undefined) => {
    setDoing('nothing');
    setSaved(changed !== undefined);
    if (changed) void onChanged();
  };
  return (
    <article class={user.disabled ? 'card user-card is-disabled' : 'card user-card'}>
      <div class="card-head">
        <h3>
          {user.username}
          {isSelf && <span class="unit"> {text.you}</span>}
        </h3>
        <Marks user={user} />
      </div>
      <p class="quiet">
        <Sees role={user.role} batteries={user.batteries} /> ·{' '}
        {text.since(formatMoment(user.created_ms, now_ms.value))}
      </p>
      {user.shadows_central && <p class="quiet">{text.shadowsCentral}</p>}
      {isSaved && <Success>{t().common.saved}</Success>}
      {user.origin === 'central' && <p class="quiet">{text.central}</p>}
      {doing === 'nothing' && user.origin === 'local' && (
        <Actions user={user} isSelf={isSelf} onDo={setDoing} onChanged={onChanged} />
      )}
      {doing === 'editing' && <EditUser user={user} onDone={edited} />}
      {doing === 'removing' && (
        <RemoveUser user={user} onRemoved={onChanged} onKept={() => setDoing('nothing')} />
      )}
    </article>
  );
}

function Marks({ user }: { user: UserRecord }) {
  const text = t().users;
  return (
    <span class="badges">
      {user.origin === 'central' && <span class="badge tone-info">{text.centre}</span>}
      {user.must_change_password && (
        <span class="badge tone-warning">
          <Icon name="clock" size={16} /> {text.passwordDue}
        </span>
      )}
      {user.disabled && (
        <span class="badge tone-critical">
          <Icon name="off" size={16} /> {text.disabled}
        </span>
      )}
      <span class="badge tone-quiet">{t().roles.words[user.role]}</span>
    </span>
  );
}

interface ActionsProps {
  readonly user: UserRecord;
  readonly isSelf: boolean;
  readonly onDo: (what: Doing) => void;
  readonly onChanged: () => Promise<void>;
}

/** Nobody can disable or remove themselves here: it would end their way back. */
function Actions({ user, isSelf, onDo, onChanged }: ActionsProps) {
  const [failure, setFailure] = useState('');
  const setDisabled = async (disabled: boolean) => {
    try {
      await ask(pathOf(user), { method: 'PUT', body: { disabled } });
      setFailure('');
      await onChanged();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  const text = t().users;
  const name = <span class="visually-hidden"> {user.username}</span>;
  return (
    <>
      <Failure text={failure} />
      <div class="form-row">
        <button type="button" class="button" onClick={() => onDo('editing')}>
          {text.edit}
          {name}
        </button>
        {!isSelf && (
          <>
            <button type="button" class="button" onClick={() => void setDisabled(!user.disabled)}>
              {user.disabled ? text.enable : text.disable}
              {name}
            </button>
            <button type="button" class="button" onClick={() => onDo('removing')}>
              {text.remove}
              {name}
            </button>
          </>
        )}
      </div>
    </>
  );
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
      await ask(pathOf(user), { method: 'DELETE' });
      await onRemoved();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <>
      <Failure text={failure} />
      <div class="form-row">
        <button type="button" class="button button-danger" onClick={() => void remove()}>
          {t().users.removeNow(user.username)}
        </button>
        <button type="button" class="button" onClick={onKept}>
          {t().common.keep}
        </button>
      </div>
    </>
  );
}

const pathOf = (user: UserRecord) => `/api/admin/users/${encodeURIComponent(user.username)}`;
