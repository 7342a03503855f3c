/** Faults on demand: what was ordered, when each is at work, and words for what cannot be ordered. */
import Value from 'typebox/value';
import { type ErrorCode, GatewayError } from '../core/errors.ts';
import { describeExpected, describeFound, nodeOf } from '../core/schema/describe.ts';
import { didYouMean, listOf } from '../core/schema/problem.ts';
import { SimulationFault } from './simulation-config.ts';

export interface FaultyPack {
  readonly pack_id: string;
  readonly cell_count: number;
}

/** A fault at work. */
export interface ActiveFault {
  readonly kind: SimulationFault['kind'];
  /** Index among the simulated packs. */
  readonly index: number;
  /** Counting from 0; -1 for the whole pack. */
  readonly cell: number;
}

/** A fault as `faults()` shows it. */
export type FaultView = SimulationFault & { readonly id: string; readonly state: 'waiting' | 'active' };

interface Ordered extends ActiveFault {
  readonly id: string;
  readonly fault: SimulationFault;
  readonly from_mono_ms: number;
  readonly until_mono_ms: number;
}

const MAX_FAULTS = 1000;

export class FaultBoard {
  readonly #packs: readonly FaultyPack[];
  readonly #ordered: Ordered[] = [];
  #next_id = 1;

  constructor(packs: readonly FaultyPack[]) {
    this.#packs = packs;
  }

  /** Checks and orders a fault; its times count from `mono_ms`. `place` leads the message of an error. */
  add(fault: unknown, mono_ms: number, place: string, code: ErrorCode): string {
    const refuse = (message: string) => new GatewayError(code, `${place}${message}`);
    if (!Value.Check(SimulationFault, fault)) throw refuse(whyNot(fault));
    if (this.#ordered.length >= MAX_FAULTS)
      throw refuse(`: found ${MAX_FAULTS} faults already, expected fewer; remove some first`);
    const index = this.#packs.findIndex(pack => pack.pack_id === fault.pack);
    if (index < 0) throw refuse(this.#unknownPack(fault.pack));
    const { cell_count } = this.#packs[index];
    if (fault.kind !== 'dead_unit' && !(fault.cell !== undefined && fault.cell <= cell_count))
      throw refuse(
        `.cell: found ${describeFound(fault.cell)}, expected a cell number from 1 to ${cell_count}`,
      );
    const from_mono_ms = mono_ms + (fault.after_s ?? 0) * 1000;
    const id = `fault-${this.#next_id++}`;
    this.#ordered.push({
      id,
      fault,
      kind: fault.kind,
      index,
      cell: fault.kind === 'dead_unit' ? -1 : fault.cell! - 1,
      from_mono_ms,
      until_mono_ms: from_mono_ms + (fault.for_s ?? Number.POSITIVE_INFINITY) * 1000,
    });
    return id;
  }

  remove(id: string): boolean {
    const at = this.#ordered.findIndex(ordered => ordered.id === id);
    if (at >= 0) this.#ordered.splice(at, 1);
    return at >= 0;
  }

  /** Forgets faults that are over; returns those at work. */
  activeAt(mono_ms: number): ActiveFault[] {
    for (let k = this.#ordered.length - 1; k >= 0; k--)
      if (this.#ordered[k].until_mono_ms <= mono_ms) this.#ordered.splice(k, 1);
    return this.#ordered.filter(ordered => ordered.from_mono_ms <= mono_ms);
  }

  list(mono_ms: number): FaultView[] {
    return this.#ordered
      .filter(ordered => ordered.until_mono_ms > mono_ms)
      .map(({ id, fault, from_mono_ms }) => ({
        id,
        ...fault,
        state: from_mono_ms <= mono_ms ? 'active' : 'waiting',
      }));
  }

  #unknownPack(pack_id: string): string {
    const known = this.#packs.map(pack => pack.pack_id);
    const expected =
      known.length > 0 ? `one of the simulated packs: ${listOf(known, 10)}` : 'simulated packs';
    return `.pack: found ${describeFound(pack_id)}, expected ${expected}${didYouMean(pack_id, known)}`;
  }
}

/** The first reason why a value is no fault: `.kind: found "hot", expected one of weak_cell, …`. */
function whyNot(fault: unknown): string {
  const errors = Value.Errors(SimulationFault, fault);
  const error = errors.find(({ keyword }) => keyword !== 'const' && keyword !== 'boolean') ?? errors[0];
  const { properties = {} } = nodeOf(SimulationFault);
  if (error.keyword === 'required')
    return `: found no ${listOf(error.params.requiredProperties)}, expected it`;
  if (error.keyword === 'additionalProperties')
    return `: found ${listOf(error.params.additionalProperties)}, expected only ${listOf(Object.keys(properties))}`;
  const key = error.instancePath.slice(1);
  const schema = properties[key];
  if (!schema)
    return `: found ${describeFound(fault)}, expected a fault (${listOf(Object.keys(properties))})`;
  const found = (fault as Record<string, unknown>)[key];
  return `.${key}: found ${describeFound(found)}, expected ${describeExpected(schema)}`;
}
