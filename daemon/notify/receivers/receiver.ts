/**
 * A receiver is one way to reach people or programs, such as e-mail or a webhook: here is all that the rest asks of one.
 * Each is a file in this folder; `receivers.ts` is the table of them.
 */
import type { TObject } from 'typebox';
import type { NotifiedEvent } from '../../../core/alerts/notified.ts';

export interface AnyReceiverConfig {
  readonly id: string;
  readonly type: string;
  /** What its readers may see on the page; alerts of no single battery are for moderators and administrators. */
  readonly role?: 'user' | 'moderator' | 'admin' | undefined;
}

/** One alert in a notification, as programs get it. */
export interface NotifiedAlert {
  readonly alert_id: string;
  readonly occurrence: number;
  readonly event: NotifiedEvent;
  readonly severity: string;
  readonly rule_id: string;
  readonly battery_id: string | null;
  readonly pack_id: string | null;
  readonly cell_no: number | null;
  readonly message: string;
  readonly occurred_ms: number;
}

export interface Outgoing {
  /** The same in every copy: whoever gets a second one can drop it. */
  readonly notification_id: string;
  readonly kind: 'alerts' | 'digest' | 'test';
  readonly gateway_id: string;
  readonly site_id: string;
  readonly made_ms: number;
  readonly subject: string;
  readonly text: string;
  readonly alerts: readonly NotifiedAlert[];
}

/**
 * `refused`: it certainly has not arrived. `unknown`: it may have, as no reply came after it was handed over; it is sent
 * again as it was, with the same id.
 */
export interface Delivery {
  readonly result: 'accepted' | 'refused' | 'unknown';
  /** What the other side said, in a line; without secrets. */
  readonly reply: string;
}

export interface Receiver {
  /** Where it goes, for people: addresses, a host. */
  readonly to: string;
  /** Why nothing can be sent at all; undefined: something can. */
  readonly fault: string | undefined;
  /** Never rejects; ends within its own time-out, and at once when `signal` aborts. */
  send(message: Outgoing, signal: AbortSignal): Promise<Delivery>;
}

/** What a key of a receiver's configuration has and should not. */
export interface ReceiverFinding {
  readonly key: string;
  readonly found: string;
  readonly expected: string;
}

export interface ReceiverContext {
  /** Of a name in the configuration; undefined: it is neither a credential nor in the environment. */
  readonly secret: (name: string) => string | undefined;
  readonly wallMs: () => number;
}

export interface ReceiverKind<C extends AnyReceiverConfig = AnyReceiverConfig> {
  readonly schema: TObject;
  make(config: C, context: ReceiverContext): Receiver;
  /** What the schema cannot say. */
  findings(config: C): readonly ReceiverFinding[];
  /** Names of secrets that it needs. */
  secrets(config: C): readonly { readonly key: string; readonly name: string }[];
  /** The configuration as it is used: files are meant from `directory`. */
  prepare?(config: C, directory: string): C;
}

/** Secrets never leave, also not in what a server quotes. */
export function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  let clean = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  for (const secret of secrets) if (secret) clean = clean.replaceAll(secret, '(hidden)');
  return clean.slice(0, 300);
}

export const noSecret = (name: string) =>
  `there is no secret "${name}": neither a file of this name in the credentials directory nor an environment variable`;
