/** API keys for programs; their secrets are shown once. And the key that signs everybody's sessions. */
import { useState } from 'preact/hooks';
import type {
  ApiKeyRecord,
  ApiKeysReply,
  NewApiKeyBody,
  NewApiKeyReply,
} from '../../../../core/contract/access.ts';
import type { Role } from '../../../../core/contract/roles.ts';
import { ask } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { formatAgo, formatDay, formatMoment } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { Failure, Success } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Answered, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';
import { BatteryChecks, chosenBatteries, RoleSwitch, Sees } from './roles.tsx';

const DAY_MS = 86_400_000;
const LIVES = [
  { days: 0, name: 'never' },
  { days: 30, name: 'd30' },
  { days: 90, name: 'd90' },
  { days: 365, name: 'd365' },
] as const;

export function ApiKeys() {
  const asked = useAsk<ApiKeysReply>('/api/admin/keys');
  return (
    <Answered asked={asked} texts={t().keys}>
      {({ keys }) => <Keys keys={keys} onChanged={asked.reload} />}
    </Answered>
  );
}

interface KeysProps {
  readonly keys: ApiKeysReply['keys'];
  readonly onChanged: () => Promise<void>;
}

function Keys({ keys, onChanged }: KeysProps) {
  const text = t().keys;
  return (
    <div class="two-columns">
      <Section title={text.title}>
        {keys.length === 0 ? (
          <Notice icon="system" title={text.none.title}>
            <p>{text.none.text}</p>
          </Notice>
        ) : (
          <ul class="user-list">
            {keys.map(key => (
              <li key={key.id}>
                <KeyCard apiKey={key} onRevoked={onChanged} />
              </li>
            ))}
          </ul>
        )}
      </Section>
      <div>
        <Section title={text.make}>
          <NewKey onMade={onChanged} />
        </Section>
        <Section title={text.signingKey} class="card">
          <SigningKey />
        </Section>
      </div>
    </div>
  );
}

function KeyCard({ apiKey, onRevoked }: { apiKey: ApiKeyRecord; onRevoked: () => Promise<void> }) {
  const text = t().keys;
  const [isAsking, setAsking] = useState(false);
  const [failure, setFailure] = useState('');
  const { id, name, role, batteries, created_ms, created_by, expires_ms, used_ms, used_address } = apiKey;
  const now = now_ms.value;
  const isExpired = expires_ms !== null && expires_ms <= now;
  const revoke = async () => {
    try {
      await ask(`/api/admin/keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
      await onRevoked();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <article class={isExpired ? 'card user-card is-disabled' : 'card user-card'}>
      <div class="card-head">
        <h3>{name}</h3>
        <span class="badges">
          {isExpired && (
            <span class="badge tone-critical">
              <Icon name="clock" size={16} /> {text.expired}
            </span>
          )}
          <span class="badge tone-quiet">{t().roles.words[role]}</span>
        </span>
      </div>
      <p class="quiet">
        <Sees role={role} batteries={batteries} /> ·{' '}
        {expires_ms === null ? text.forEver : text.until(formatDay(expires_ms))}
      </p>
      <p class="quiet">
        {used_ms === null ? text.neverUsed : text.used(formatAgo(used_ms, now), used_address ?? '')} ·{' '}
        {text.made(formatMoment(created_ms, now), created_by)} · <code>bms_{id}_…</code>
      </p>
      <Failure text={failure} />
      {isAsking ? (
        <div class="form-row">
          <button type="button" class="button button-danger" onClick={() => void revoke()}>
            {text.revokeNow(name)}
          </button>
          <button type="button" class="button" onClick={() => setAsking(false)}>
            {t().common.keep}
          </button>
        </div>
      ) : (
        <button type="button" class="button" onClick={() => setAsking(true)}>
          {text.revoke}
          <span class="visually-hidden"> {name}</span>
        </button>
      )}
    </article>
  );
}

function NewKey({ onMade }: { onMade: () => Promise<void> }) {
  const text = t().keys;
  const [role, setRole] = useState<Role>('user');
  const [failure, setFailure] = useState('');
  const [made, setMade] = useState<NewApiKeyReply>();

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const days = Number(fields.get('days'));
    const body: NewApiKeyBody = {
      name: String(fields.get('name')).trim(),
      role,
      batteries: chosenBatteries(fields, role),
      expires_ms: days > 0 ? Math.round(now_ms.value + days * DAY_MS) : null,
    };
    setFailure('');
    setMade(undefined);
    try {
      setMade(await ask<NewApiKeyReply>('/api/admin/keys', { method: 'POST', body }));
      form.reset();
      await onMade();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };

  return (
    <>
      {made && <Secret key={made.key.id} made={made} />}
      <form class="card form" onSubmit={submit} autocomplete="off">
        <label class="field">
          <span>{text.name}</span>
          <input
            name="name"
            required
            pattern="[A-Za-z0-9][A-Za-z0-9 _.\-]{0,47}"
            title={text.nameRule}
            placeholder={text.nameExample}
            spellcheck={false}
          />
        </label>
        <RoleSwitch role={role} onChange={setRole} />
        {role !== 'admin' && <BatteryChecks chosen={[]} legend={text.batteries} />}
        <label class="field">
          <span>{text.expires}</span>
          <select name="days">
            {LIVES.map(({ days, name }) => (
              <option key={days} value={days}>
                {text.lives[name]}
              </option>
            ))}
          </select>
        </label>
        <Failure text={failure} />
        <button type="submit" class="button button-main">
          {text.makeKey}
        </button>
      </form>
    </>
  );
}

function Secret({ made: { key, secret } }: { made: NewApiKeyReply }) {
  const text = t().keys;
  const [isCopied, setCopied] = useState(false);
  // Without TLS a browser gives no clipboard: the field can be selected by hand.
  const copy = () =>
    navigator.clipboard?.writeText(secret).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return (
    <div class="card secret" role="status">
      <h3>{text.secretOf(key.name)}</h3>
      <p>{text.secretHelp}</p>
      <input
        class="code-input"
        readOnly
        value={secret}
        aria-label={text.secret(key.name)}
        onFocus={event => event.currentTarget.select()}
      />
      <p class="quiet">{text.sentAs(<code>Authorization: Bearer bms_…</code>)}</p>
      {'clipboard' in navigator && (
        <button type="button" class="button" onClick={() => void copy()}>
          {isCopied ? text.copied : text.copy}
        </button>
      )}
    </div>
  );
}

function SigningKey() {
  const [failure, setFailure] = useState('');
  const text = t().keys;
  const [isDone, setDone] = useState(false);
  const rotate = async () => {
    setFailure('');
    try {
      await ask('/api/admin/signing-keys', { method: 'POST' });
      setDone(true);
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <div class="form">
      <p class="quiet">{text.signingHelp}</p>
      <Failure text={failure} />
      {isDone && <Success>{text.replaced}</Success>}
      <button type="button" class="button" onClick={() => void rotate()}>
        {text.replace}
      </button>
    </div>
  );
}
