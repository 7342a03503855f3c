/** A kind of rule about packs: what it judges, and which alerts are its own. Each kind is a file beside this one. */
import type { PackReading } from '../../reading/pack-reading.ts';
import type { LeakingCell } from '../../siblings/charge-drift.ts';
import type { WeakCell } from '../../siblings/deviation.ts';
import type { PackApart } from '../../siblings/fleet-deviation.ts';
import type { PackNode } from '../../topology/topology.ts';
import type { AlertBook, Emit, Subject } from '../alert-book.ts';

export interface PackSubject extends Subject {
  readonly node: PackNode;
}

/** A moment, once all packs were judged in it. */
export interface MomentEnd {
  readonly t_ms: number;
  readonly mono_ms: number;
  /** A pack that reports nothing for this long is silent. */
  readonly silent_after_ms: number;
}

/** All that is known of a pack at a moment; a kind takes of it what it judges. Reused: nobody may keep it. */
export interface PackMoment extends MomentEnd {
  readonly subject: PackSubject;
  /** Undefined: nothing that the pack reported is still valid. */
  readonly reading: PackReading | undefined;
  /** How long it has reported nothing; 0 while it waits for its turn on a slow line. */
  readonly silent_ms: number;
  readonly is_silent: boolean;
  /** What its driver says of the silence. */
  readonly silent_reason: string | undefined;
  /** What two devices that answer as one pack are known by; undefined: there is one. */
  readonly two_devices: string | undefined;
  /** Why values of the reading are suspect, in words; asked when an alert needs them. */
  readonly doubts: (() => readonly string[]) | undefined;
  /** What was learnt of its cells: the weak ones; undefined: nothing is known. */
  readonly weak_cells: readonly WeakCell[] | undefined;
  /** Those that lose charge faster than their siblings; undefined: nothing is known. */
  readonly leaking: readonly LeakingCell[] | undefined;
  /** What of it stands apart from the other packs of its battery; undefined: too little is known. */
  readonly apart: readonly PackApart[] | undefined;
}

export interface RuleKind {
  /** Whether an alert of this rule, from before a restart, can be of this pack as it is configured now. */
  knows(rule_id: string, node: PackNode): boolean;
  /** Called for every pack at every moment; allocates nothing while nothing changes. */
  judge(moment: PackMoment, book: AlertBook, emit: Emit): void;
  /** Delays that run, for a restart, and how they go on after it; what is of another kind is passed over. */
  pending?(mono_ms: number): Pending[];
  resume?(pending: readonly Pending[], mono_ms: number): void;
  /** Called once at the end of every moment. */
  finish?(end: MomentEnd, book: AlertBook, emit: Emit): void;
}

/** Of a rule and a pack whose value is beyond a limit, or back, but not yet for long enough. */
export interface Pending {
  readonly rule_id: string;
  readonly pack_id: string;
  /** In the order of the rule's levels; null: it is not beyond that one. */
  readonly lasted_ms: readonly (number | null)[];
  /** How long the value of an active alert is back already; null: it is not. */
  readonly back_ms: number | null;
  /** The same for all levels; absent, where it was stored by a program that did not tell them apart: as `back_ms`. */
  readonly clear_ms?: number | null | undefined;
}
