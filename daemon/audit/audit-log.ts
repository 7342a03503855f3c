/**
 * Who did what, when and from where: entries go into the ordered log, and so into the local table and to the
 * centre. Nothing here changes or removes one.
 */
import { randomUUID } from 'node:crypto';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import type { AuditEntry } from '../../core/contract/access.ts';
import { LogKind, type Store } from '../store/store.ts';
import { presentable } from './presentable.ts';

/** Refusals recorded one by one within a window; more are counted in one entry, so that nobody can flood the card. */
const REFUSED_MAX = 20;
const WINDOW_MS = 60_000;
/**
 * What anybody who is logged in can do as often as they like: so many of each are recorded one by one within an hour,
 * more of one actor and action are counted in one entry. Else one user could push everything out that the box keeps.
 */
const REPEATABLE: readonly string[] = [
  ...['export', 'login', 'logout', 'session.end', 'user.password', 'password.confirm'],
];
const REPEATED_MAX = 20;
const REPEATED_MS = 3_600_000;
/** More actors than this at one time share a count. */
const REPEATED_ACTORS_MAX = 1000;

export type AuditFacts = Pick<AuditEntry, 'actor' | 'action'> &
  Partial<Pick<AuditEntry, 'address' | 'outcome' | 'target' | 'old' | 'new' | 'request_id'>>;

export class AuditLog {
  readonly #store: Pick<Store, 'appendRecord'>;
  readonly #clock: Clock;
  #refused = 0;
  #window: TimerHandle | undefined;
  readonly #repeated = new Map<string, { actor: string | null; action: string; count: number }>();
  #repeats: TimerHandle | undefined;

  constructor(store: Pick<Store, 'appendRecord'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Values are cut short where they are long; whoever calls leaves out what is secret by another name than usual. */
  record(facts: AuditFacts): void {
    if (facts.outcome === 'refused' && !this.#mayRecordRefusal()) return;
    if (facts.outcome !== 'refused' && REPEATABLE.includes(facts.action) && !this.#mayRepeat(facts)) return;
    this.#append(facts);
  }

  /** Writes what was only counted so far. */
  stop(): void {
    this.#clock.clearTimer(this.#window);
    this.#clock.clearTimer(this.#repeats);
    this.#endWindow();
    this.#endRepeats();
  }

  #append({ actor, action, address = null, outcome = 'done', target = null, ...facts }: AuditFacts): void {
    const t_ms = this.#clock.wallMs();
    const entry: AuditEntry = {
      id: randomUUID(),
      t_ms,
      actor,
      address,
      action,
      outcome,
      target,
      ...(facts.old !== undefined && { old: facts.old }),
      ...(facts.new !== undefined && { new: facts.new }),
      request_id: facts.request_id ?? null,
    };
    this.#store.appendRecord(LogKind.audit, t_ms, presentable(entry) as object);
  }

  #mayRecordRefusal(): boolean {
    this.#window ??= this.#clock.setTimer(() => this.#endWindow(), WINDOW_MS);
    return ++this.#refused <= REFUSED_MAX;
  }

  #mayRepeat({ actor, action }: AuditFacts): boolean {
    this.#repeats ??= this.#clock.setTimer(() => this.#endRepeats(), REPEATED_MS);
    const name = `${action} ${actor}`;
    const is_crowded = !this.#repeated.has(name) && this.#repeated.size >= REPEATED_ACTORS_MAX;
    const key = is_crowded ? action : name;
    const known = this.#repeated.get(key) ?? { actor: is_crowded ? 'system' : actor, action, count: 0 };
    this.#repeated.set(key, known);
    return ++known.count <= REPEATED_MAX;
  }

  #endRepeats(): void {
    const repeated = [...this.#repeated.values()];
    this.#repeated.clear();
    this.#repeats = undefined;
    for (const { actor, action, count } of repeated)
      if (count > REPEATED_MAX)
        this.#append({
          actor,
          action,
          target: 'more than is listed',
          new: { not_listed: count - REPEATED_MAX },
        });
  }

  #endWindow(): void {
    const more = this.#refused - REFUSED_MAX;
    this.#refused = 0;
    this.#window = undefined;
    if (more > 0)
      this.#append({ actor: 'system', action: 'refusals', outcome: 'refused', new: { not_listed: more } });
  }
}
