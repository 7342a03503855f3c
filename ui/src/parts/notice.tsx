/** What a page says instead of its content: loading, nothing there, not allowed, not found, failed. */
import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../../core/contract/http.ts';
import type { RoomState } from '../live/feed.ts';
import { isLive } from '../live/live.ts';
import { Icon, type IconName } from './icons.tsx';

interface NoticeProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly tone?: 'ok' | 'warning' | 'critical' | 'quiet';
}

export function Notice({ icon, title, children, tone = 'quiet' }: NoticeProps) {
  return (
    <div class={`notice tone-${tone}`}>
      <Icon name={icon} size={40} />
      <h2>{title}</h2>
      {children && <div class="notice-text">{children}</div>}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading {what}…</span>
      <div class="skeleton skeleton-title" />
      <div class="skeleton skeleton-strip" />
      <div class="skeleton-grid">
        <div class="skeleton" />
        <div class="skeleton" />
        <div class="skeleton" />
      </div>
    </div>
  );
}

export function ProblemNotice({ problem, what }: { problem: Problem; what: string }) {
  if (problem.status === 403 || problem.code === 'FORBIDDEN') {
    return (
      <Notice icon="octagon" title={`Your account may not see this ${what}`} tone="warning">
        <p>Ask an administrator to assign it to you.</p>
        <p>
          <a class="button" href="/">
            Back to the fleet
          </a>
        </p>
      </Notice>
    );
  }
  if (problem.status === 404 || problem.code === 'NOT_FOUND') return <NotFound what={what} />;
  return (
    <Notice icon="triangle" title={problem.title || 'Something went wrong'} tone="critical">
      <p>{problem.detail}</p>
    </Notice>
  );
}

export function NotFound({ what = 'page' }: { what?: string }) {
  return (
    <Notice icon="question" title={`There is no such ${what}`}>
      <p>It may have been renamed or taken out of the configuration.</p>
      <p>
        <a class="button" href="/">
          Back to the fleet
        </a>
      </p>
    </Notice>
  );
}

interface RoomViewProps<T> {
  readonly room: ReadonlySignal<RoomState<T>>;
  readonly what: string;
  readonly children: (data: T) => ComponentChildren;
}

/** A room's content; visibly old unless it came over the connection that stands now. */
export function RoomView<T>({ room, what, children }: RoomViewProps<T>) {
  const { data, is_fresh, problem } = room.value;
  if (problem) return <ProblemNotice problem={problem} what={what} />;
  if (data === undefined) return <Loading what={what} />;
  const isOld = !is_fresh || !isLive.value;
  return <div class={isOld ? 'room is-old' : 'room'}>{children(data)}</div>;
}
