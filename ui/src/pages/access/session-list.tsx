/** Sessions: where somebody is logged in, and the way to end that. */
import { useState } from 'preact/hooks';
import type { SessionsReply, SessionView } from '../../../../core/contract/access.ts';
import { ask } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { formatAgo, formatMoment } from '../../format/time.ts';
import { nameOfAgent } from '../../format/user-agent.ts';
import { now_ms } from '../../live/live.ts';
import { Failure } from '../../parts/fields.tsx';
import { Loading } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';

interface SessionListProps {
  /** `/api/auth/sessions`: one's own; `/api/admin/sessions`: everybody's. */
  readonly path: '/api/auth/sessions' | '/api/admin/sessions';
}

export function SessionList({ path }: SessionListProps) {
  const { data, error, reload } = useAsk<SessionsReply>(path);
  const [failure, setFailure] = useState('');
  if (error && !data) return <Failure text={error.message} />;
  if (!data) return <Loading text={t().sessions.loading} />;
  const isOwn = path === '/api/auth/sessions';
  const end = async (what: string) => {
    setFailure('');
    try {
      await ask(what, { method: 'DELETE' });
    } catch (problem) {
      setFailure(messageOf(problem));
    }
    await reload();
  };
  const others = data.sessions.filter(session => !session.current);
  return (
    <>
      <Failure text={failure} />
      <ul class="session-list">
        {data.sessions.map(session => (
          <SessionRow
            key={session.id}
            session={session}
            isNamed={!isOwn}
            onEnd={() => end(`${path}/${encodeURIComponent(session.id)}`)}
          />
        ))}
      </ul>
      {isOwn && others.length > 1 && (
        <button type="button" class="button" onClick={() => void end(path)}>
          {t().sessions.endOthers}
        </button>
      )}
    </>
  );
}

interface SessionRowProps {
  readonly session: SessionView;
  readonly isNamed: boolean;
  readonly onEnd: () => Promise<void>;
}

function SessionRow({ session, isNamed, onEnd }: SessionRowProps) {
  const { username, user_agent, address, seen_ms, created_ms, current } = session;
  const text = t().sessions;
  const agent = nameOfAgent(user_agent);
  const seen = current ? text.now : formatAgo(seen_ms, now_ms.value);
  return (
    <li class="session-row">
      <div>
        <strong title={user_agent}>{isNamed ? text.of(username, agent) : agent}</strong>
        {current && <span class="badge tone-ok">{text.thisDevice}</span>}
        <p class="quiet">{text.facts(address, seen, formatMoment(created_ms, now_ms.value))}</p>
      </div>
      {!current && (
        <button type="button" class="button" onClick={() => void onEnd()}>
          {text.end}
          <span class="visually-hidden"> {text.which(username, agent, address)}</span>
        </button>
      )}
    </li>
  );
}
