/**
 * Packs that report nothing for too long. Where all packs of a connection are silent there is one cause, and one alert:
 * that of the connection. It suppresses the packs' own ones.
 */
import type { Topology } from '../../topology/topology.ts';
import { CONNECTION_SILENT_RULE, PACK_SILENT_RULE } from '../alert.ts';
import type { AlertBook, Emit, Subject } from '../alert-book.ts';
import type { MomentEnd, PackMoment, PackSubject, RuleKind } from './kind.ts';

const RULE = { id: PACK_SILENT_RULE, severity: 'critical' } as const;
const CONNECTION_RULE = { id: CONNECTION_SILENT_RULE, severity: 'critical' } as const;

interface Connection extends Subject {
  readonly packs: readonly number[];
}

export class SilenceRule implements RuleKind {
  readonly #connections: readonly Connection[];
  readonly #subjects: (PackSubject | undefined)[] = [];
  readonly #silent_ms: Float64Array;
  readonly #reasons: (string | undefined)[] = [];
  /** Which packs have said anything since the start; of the others an alert from before it is not over. */
  readonly #seen: Uint8Array;

  constructor(topology: Topology) {
    this.#silent_ms = new Float64Array(topology.packs.length);
    this.#seen = new Uint8Array(topology.packs.length);
    this.#connections = [...Map.groupBy(topology.packs, ({ connection_id }) => connection_id)].map(
      ([connection_id, nodes], index) => ({
        index,
        battery_id: nodes.every(({ battery }) => battery === nodes[0].battery) ? nodes[0].battery_id : null,
        pack_id: null,
        connection_id,
        packs: nodes.map(({ pack }) => pack),
      }),
    );
  }

  knows(rule_id: string): boolean {
    return rule_id === RULE.id;
  }

  connectionOf(rule_id: string, connection_id: string | null): Subject | undefined {
    if (rule_id !== CONNECTION_RULE.id) return undefined;
    return this.#connections.find(connection => connection.connection_id === connection_id);
  }

  judge({ subject, silent_ms, silent_reason, reading }: PackMoment): void {
    this.#subjects[subject.index] = subject;
    if (reading !== undefined || silent_ms < this.#silent_ms[subject.index]) this.#seen[subject.index] = 1;
    this.#silent_ms[subject.index] = silent_ms;
    this.#reasons[subject.index] = silent_reason;
  }

  /** Once all packs of a moment are known: which of them are silent together. */
  finish({ silent_after_ms, t_ms }: MomentEnd, book: AlertBook, emit: Emit): void {
    for (const connection of this.#connections) {
      const { packs } = connection;
      let silent = 0;
      let nearly = 0;
      let seen = 0;
      for (let i = 0; i < packs.length; i++) {
        if (this.#silent_ms[packs[i]] >= silent_after_ms) silent++;
        if (this.#silent_ms[packs[i]] >= silent_after_ms / 2) nearly++;
        seen += this.#seen[packs[i]];
      }
      const isMany = packs.length > 1;
      const active = book.find(CONNECTION_RULE.id, connection);
      if (isMany && silent === packs.length) {
        if (!active) book.raise(CONNECTION_RULE, connection, this.#foundOn(connection), t_ms, emit);
      } else if (active && seen > 0) book.clear(CONNECTION_RULE, connection, t_ms, emit);
      const cause = book.find(CONNECTION_RULE.id, connection)?.id ?? null;
      // While the last ones of a connection fall silent nobody knows yet whether it is the connection.
      const isWaiting = cause !== null || (isMany && nearly === packs.length);
      for (let i = 0; i < packs.length; i++)
        this.#judgeOne(packs[i], silent_after_ms, cause, isWaiting, t_ms, book, emit);
    }
  }

  #judgeOne(
    pack: number,
    silent_after_ms: number,
    cause: string | null,
    isWaiting: boolean,
    t_ms: number,
    book: AlertBook,
    emit: Emit,
  ): void {
    const subject = this.#subjects[pack];
    if (!subject) return;
    const isSilent = this.#silent_ms[pack] >= silent_after_ms;
    const active = book.find(RULE.id, subject);
    if (active && !isSilent && this.#seen[pack] === 1) book.clear(RULE, subject, t_ms, emit);
    else if (active && active.suppressed_by !== cause) book.suppress(RULE.id, subject, cause, t_ms, emit);
    else if (!active && isSilent && !isWaiting) {
      const reason = this.#reasons[pack];
      book.raise(RULE, subject, { message: reason ? `No data: ${reason}` : 'No data' }, t_ms, emit);
    }
  }

  #foundOn({ packs, connection_id }: Connection) {
    const reasons = new Set(packs.map(pack => this.#reasons[pack]));
    const [reason] = reasons;
    const why = reasons.size === 1 && reason !== undefined ? `: ${reason}` : '';
    return { message: `No data from any of the ${packs.length} packs on connection ${connection_id}${why}` };
  }
}
