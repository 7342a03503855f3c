/**
 * What a person has taken out of service (ISA-18.2): an alert, a rule for a pack, or all rules of a pack, for a reason,
 * until somebody puts it back or its time is over. It is judged meanwhile, and calls nobody.
 */
import type { Alert } from './alert.ts';

/** More are refused: who takes so much out of service should change rules. */
export const MAX_OUT_OF_SERVICE = 1000;

/** Of which rule, null: of all; and of which pack or connection. All of the latter null: of the gateway itself. */
export interface ServiceScope extends Pick<Alert, 'battery_id' | 'pack_id' | 'connection_id'> {
  readonly rule_id: string | null;
}

export interface OutOfService extends ServiceScope {
  /** The same for the same scope: there is one entry for it at most. */
  readonly id: string;
  readonly by: string;
  readonly at_ms: number;
  /** Null: until somebody puts it back. */
  readonly until_ms: number | null;
  readonly reason: string;
}

export function serviceId({ rule_id, pack_id, connection_id }: ServiceScope): string {
  return [rule_id ?? '*', pack_id ?? '', connection_id ?? ''].map(encodeURIComponent).join('~');
}

/** How a book of alerts asks. Null: it is in service. */
export type ServiceOf = (
  rule_id: string,
  subject: Pick<Alert, 'pack_id' | 'connection_id'>,
) => OutOfService | null;

export class OutOfServiceList {
  readonly #entries = new Map<string, OutOfService>();

  /** Newest first. */
  all(): OutOfService[] {
    return [...this.#entries.values()].sort((a, b) => b.at_ms - a.at_ms);
  }

  get(id: string): OutOfService | undefined {
    return this.#entries.get(id);
  }

  get isFull(): boolean {
    return this.#entries.size >= MAX_OUT_OF_SERVICE;
  }

  put(entry: OutOfService): void {
    this.#entries.set(entry.id, entry);
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  /** Those whose time is over. */
  due(t_ms: number): OutOfService[] {
    if (this.#entries.size === 0) return [];
    return this.all().filter(({ until_ms }) => until_ms !== null && until_ms <= t_ms);
  }

  /** The one that holds for a rule and subject: its own before that of the whole pack. */
  readonly of: ServiceOf = (rule_id, { pack_id, connection_id }) => {
    if (this.#entries.size === 0) return null;
    const scope = { battery_id: null, pack_id, connection_id };
    const own = this.#entries.get(serviceId({ ...scope, rule_id }));
    if (own || pack_id === null) return own ?? null;
    return this.#entries.get(serviceId({ ...scope, rule_id: null })) ?? null;
  };
}
