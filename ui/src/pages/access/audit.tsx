/** Who did what, when and from where, newest first. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AuditEntry, AuditReply } from '../../../../core/contract/access.ts';
import { ask } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { actionWords, changesOf } from '../../format/audit.ts';
import { formatMoment } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Failure } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';

const PAGE = 50;
const GROUPS = [
  'all',
  'login',
  'session',
  'user',
  'key',
  'settings',
  'configuration',
  'gateway',
  'export',
  'fault',
] as const;

export function Audit() {
  const text = t().audit;
  const [action, setAction] = useState('');
  const [actor, setActor] = useState('');
  const [entries, setEntries] = useState<readonly AuditEntry[]>();
  const [next, setNext] = useState<string | null>(null);
  const [failure, setFailure] = useState('');
  /** Answers to an older question are not shown. */
  const question = useRef(0);

  const load = async (cursor: string | null) => {
    const asked = cursor === null ? ++question.current : question.current;
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (action) query.set('action', action);
    if (actor) query.set('actor', actor);
    if (cursor !== null) query.set('cursor', cursor);
    try {
      const reply = await ask<AuditReply>(`/api/admin/audit?${query}`);
      if (asked !== question.current) return;
      setEntries(known => (cursor === null ? reply.entries : [...(known ?? []), ...reply.entries]));
      setNext(reply.next);
      setFailure('');
    } catch (error) {
      if (asked === question.current) setFailure(messageOf(error));
    }
  };
  useEffect(() => void load(null), [action, actor]);

  return (
    <>
      <form class="filters" onSubmit={event => event.preventDefault()}>
        <label class="field">
          <span>{text.what}</span>
          <select value={action} onChange={event => setAction(event.currentTarget.value)}>
            {GROUPS.map(group => (
              <option key={group} value={group === 'all' ? '' : group}>
                {text.groups[group]}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{text.who}</span>
          {/* Without a value of ours: entries that arrive would replace what is being typed. */}
          <input
            placeholder={text.anybody}
            maxLength={64}
            autocapitalize="none"
            autocomplete="off"
            spellcheck={false}
            onChange={event => setActor(event.currentTarget.value.trim())}
          />
        </label>
        <button type="button" class="button" onClick={() => void load(null)}>
          <Icon name="retry" size={18} /> {text.refresh}
        </button>
      </form>
      <Failure text={failure} />
      {entries ? <Entries entries={entries} /> : !failure && <Loading text={text.loading} />}
      {next !== null && (
        <button type="button" class="button button-wide" onClick={() => void load(next)}>
          {text.older}
        </button>
      )}
    </>
  );
}

function Entries({ entries }: { entries: readonly AuditEntry[] }) {
  const { none } = t().audit;
  if (entries.length === 0)
    return (
      <Notice icon="clock" title={none.title}>
        <p>{none.text}</p>
      </Notice>
    );
  return (
    <ol class="audit">
      {entries.map(entry => (
        <li key={entry.id}>
          <Entry entry={entry} />
        </li>
      ))}
    </ol>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { t_ms, actor, address, outcome, target } = entry;
  const text = t().audit;
  const changes = changesOf(entry.old, entry.new);
  return (
    <article class="audit-row">
      <time class="quiet" dateTime={new Date(t_ms).toISOString()}>
        {formatMoment(t_ms, now_ms.value)}
      </time>
      <div class="audit-what">
        <p>
          <strong>{actor ?? text.somebody}</strong> {actionWords(entry)}
          {target !== null && target !== actor && <span class="audit-target"> {target}</span>}
          {outcome === 'refused' && (
            <span class="badge tone-warning">
              <Icon name="octagon" size={16} /> {text.refused}
            </span>
          )}
        </p>
        {changes.length > 0 && (
          <dl class="audit-changes">
            {changes.map(({ name, before, after }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  {before !== undefined && <del>{before}</del>} {after !== undefined && <ins>{after}</ins>}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
      <span class="quiet audit-from">{address ?? ''}</span>
    </article>
  );
}
