/** What a page says instead of its content: loading, nothing there, not allowed, not found, failed. */
import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../../core/contract/http.ts';
import type { Asked } from '../api/use-ask.ts';
import type { RoomState } from '../live/feed.ts';
import { isLive } from '../live/live.ts';
import { t } from '../texts/texts.ts';
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

/** What is said of a thing before it is there, or in its place. */
export interface PlaceTexts {
  readonly loading: string;
  readonly forbidden: string;
  readonly absent: string;
}

export function Loading({ text }: { text: string }) {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">{text}</span>
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

export function ProblemNotice({ problem, place }: { problem: Problem; place: PlaceTexts }) {
  const text = t().notices;
  if (problem.status === 403 || problem.code === 'FORBIDDEN') {
    return (
      <Notice icon="octagon" title={place.forbidden} tone="warning">
        <p>{text.forbidden}</p>
        <p>
          <a class="button" href="/">
            {text.toFleet}
          </a>
        </p>
      </Notice>
    );
  }
  if (problem.status === 404 || problem.code === 'NOT_FOUND') return <NotFound title={place.absent} />;
  return (
    <Notice icon="triangle" title={problem.title || text.failed} tone="critical">
      <p>{problem.detail}</p>
    </Notice>
  );
}

export function NotFound({ title = t().notices.page.absent }: { title?: string }) {
  const text = t().notices;
  return (
    <Notice icon="question" title={title}>
      <p>{text.absent}</p>
      <p>
        <a class="button" href="/">
          {text.toFleet}
        </a>
      </p>
    </Notice>
  );
}

interface AnsweredProps<T> {
  readonly asked: Pick<Asked<T>, 'data' | 'error'>;
  readonly texts: { readonly loading: string; readonly failed: string };
  readonly children: (data: T) => ComponentChildren;
}

/** What was asked for once it is there; until then that it loads, or why it cannot be had. */
export function Answered<T>({ asked: { data, error }, texts, children }: AnsweredProps<T>) {
  if (data !== undefined) return <>{children(data)}</>;
  if (!error) return <Loading text={texts.loading} />;
  return (
    <Notice icon="triangle" title={texts.failed} tone="critical">
      <p>{error.message}</p>
    </Notice>
  );
}

interface RoomViewProps<T> {
  readonly room: ReadonlySignal<RoomState<T>>;
  readonly place: PlaceTexts;
  readonly children: (data: T) => ComponentChildren;
}

/** A room's content; visibly old unless it came over the connection that stands now. */
export function RoomView<T>({ room, place, children }: RoomViewProps<T>) {
  const { data, is_fresh, problem } = room.value;
  if (problem) return <ProblemNotice problem={problem} place={place} />;
  if (data === undefined) return <Loading text={place.loading} />;
  const isOld = !is_fresh || !isLive.value;
  return <div class={isOld ? 'room is-old' : 'room'}>{children(data)}</div>;
}
