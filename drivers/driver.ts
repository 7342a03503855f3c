/**
 * The one interface of everything that reads batteries. A driver serves one connection (a bus or a link)
 * with all packs on it, keeps their PackStates up to date and reports how the connection fares.
 * It knows nothing of storage, HTTP or PostgreSQL.
 */
import type { Clock } from '../core/clock/clock.ts';
import type { Logger } from '../core/log.ts';
import type { PackShape } from '../core/reading/pack-reading.ts';
import type { PackState } from '../core/reading/pack-state.ts';
import type { Profile } from './profiles/profile.ts';

/** One pack of the configuration, bound to the connection its driver serves. */
export interface PackBinding {
  /** Dense index of the pack in the topology of this run. */
  readonly pack: number;
  readonly pack_id: string;
  readonly profile: Profile;
  /** Bus address or unit id; undefined where the profile declares none. */
  readonly address: number | undefined;
  readonly shape: PackShape;
  /** Profile options, defaults filled in, checked against the profile. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /**
   * Which temperature sensor (counting from 0) sits at each cell, as the installer knows it;
   * undefined: unknown, cells without their own sensor then have no temperature.
   */
  readonly sensor_of_cell: readonly number[] | undefined;
}

export type LinkState = 'starting' | 'up' | 'degraded' | 'down' | 'stopped';

/** State of one pack's own answering, as its driver sees it. */
export interface PackLinkHealth {
  readonly pack: number;
  readonly state: LinkState;
  /** One line that says what is wrong and where; undefined while `up`. */
  readonly reason: string | undefined;
}

export interface DriverHealth {
  readonly connection_id: string;
  readonly state: LinkState;
  /** One line: what is wrong, where, what was expected; undefined while `up`. */
  readonly reason: string | undefined;
  /** Monotonic time at which `state` was entered. */
  readonly since_mono_ms: number;
  readonly packs: readonly PackLinkHealth[];
  /** Monotonically growing counts for status and metrics: frames, errors, drops, time-outs, retries. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface LinkEvent {
  readonly connection_id: string;
  /** Set when the event concerns one pack rather than the whole connection. */
  readonly pack: number | undefined;
  readonly state: LinkState;
  readonly reason: string | undefined;
}

export interface DriverContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** How often packs are sampled; polled devices are read once per interval. */
  readonly interval_ms: number;
  /** Called after new values of a pack were written; cheap, called often. */
  readonly onUpdate: (pack: number) => void;
  /** Called on each change of LinkState, never for repeats of the same state and reason. */
  readonly onLink: (event: LinkEvent) => void;
}

export interface Driver {
  readonly connection_id: string;
  /** One per binding, in binding order; exists from construction on. */
  readonly packs: readonly PackState[];
  /**
   * Begins to connect and returns. What may heal by itself (absent interface, refused connection) is
   * reported through health and `onLink` and retried; only what a person must change throws a GatewayError.
   */
  start(): Promise<void>;
  /** Safe at any moment, also after a failed or half-done start, also twice. */
  stop(): Promise<void>;
  health(): DriverHealth;
}
