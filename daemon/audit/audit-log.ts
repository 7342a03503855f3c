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

export type AuditFacts = Pick<AuditEntry, 'actor' | 'action'> &
  Partial<Pick<AuditEntry, 'address' | 'outcome' | 'target' | 'old' | 'new' | 'request_id'>>;

export class AuditLog {
  readonly #store: Pick<Store, 'appendRecord'>;
  readonly #clock: Clock;
  #refused = 0;
  #window: TimerHandle | undefined;

  constructor(store: Pick<Store, 'appendRecord'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Values are cut short where they are long; whoever calls leaves out what is secret by another name than usual. */
  record(facts: AuditFacts): void {
    if (facts.outcome === 'refused' && !this.#mayRecordRefusal()) return;
    this.#append(facts);
  }

  /** Writes what was only counted so far. */
  stop(): void {
    this.#clock.clearTimer(this.#window);
    this.#endWindow();
  }

  #append({ actor, action, address = null, outcome = 'done', target = null, ...facts }: AuditFacts): void {
    const t_ms = this.#clock.wallMs();
    const entry: AuditEntry = {
      ...{ id: randomUUID(), t_ms, actor, address, action, outcome, target },
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

  #endWindow(): void {
    const more = this.#refused - REFUSED_MAX;
    this.#refused = 0;
    this.#window = undefined;
    if (more > 0)
      this.#append({ actor: 'system', action: 'refusals', outcome: 'refused', new: { not_listed: more } });
  }
}
