/**
 * The estimates of all packs, between the judge of their values and what follows: alerts, store, live view. At the
 * sampler's moments; what is learned goes on over restarts.
 */

import type { EstimateBasis, EstimatesReply, OdometerView } from '../../core/contract/estimates.ts';
import type { LifetimeAccount } from '../../core/contract/lifetime.ts';
import { healthTrend } from '../../core/estimate/health/trend.ts';
import type { Odometer } from '../../core/estimate/running/odometer.ts';
import { HARMS, type HarmLimits, type HarmName } from '../../core/lifetime/harms.ts';
import type { Lifetime } from '../../core/lifetime/lifetime.ts';
import type { Logger } from '../../core/log.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import type { LeakingCell } from '../../core/siblings/charge-drift.ts';
import type { PackJudge } from '../../core/siblings/pack-judge.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { EstimatedPack, SharedTables, type StoredEstimates } from './estimated-pack.ts';
import type { EstimatePlan } from './plan.ts';

const STALE_MS = 60_000;
const STALE_INTERVALS = 5;

export interface EstimatesOptions {
  readonly topology: Topology;
  /** In dense pack order. */
  readonly packs: readonly { readonly state: PackState; readonly judge: PackJudge }[];
  readonly plans: readonly EstimatePlan[];
  /** Of what counts as harm, by pack; absent: nothing does. */
  readonly limits?: readonly HarmLimits[];
  readonly interval_ms: number;
  readonly wallMs: () => number;
  readonly log: Logger;
}

export class Estimates {
  readonly #options: EstimatesOptions;
  readonly #packs: readonly EstimatedPack[];

  constructor(options: EstimatesOptions) {
    const { packs, plans, interval_ms, limits = [] } = options;
    const tables = new SharedTables();
    const stale_ms = Math.max(STALE_MS, STALE_INTERVALS * interval_ms);
    this.#options = options;
    this.#packs = packs.map(
      ({ state, judge }) =>
        new EstimatedPack(plans[state.pack], state, judge, tables, stale_ms, limits[state.pack] ?? {}),
    );
  }

  /** A reading of a moment, judged. */
  take(reading: PackReading): void {
    if (!this.#packs[reading.pack].take(reading)) return;
    const { id } = this.#options.topology.packs[reading.pack];
    this.#options.log.info({ pack: id }, 'another pack is installed here: its estimates start over');
  }

  /** Puts the estimates into a reading that is to be stored, where one is due. */
  showInLog(reading: PackReading): void {
    const pack = this.#packs[reading.pack];
    if (pack.isDue(reading)) pack.show(reading);
  }

  /** Puts the estimates into a reading. */
  show(reading: PackReading): void {
    this.#packs[reading.pack].show(reading);
  }

  /** Cells that lose charge faster than their siblings; undefined: too little is known. */
  leaking(pack: number): readonly LeakingCell[] | undefined {
    const { drift } = this.#packs[pack];
    return drift.hasEnough ? drift.leaking : undefined;
  }

  basis(pack: number): EstimateBasis {
    const { plan, estimator, reason } = this.#packs[pack];
    return {
      reason: reason ?? null,
      model: plan.model?.name ?? null,
      is_own_model: plan.is_own,
      is_verified: plan.model?.verified === true && plan.is_own,
      nominal_ah: estimator?.nominal_ah ?? plan.nominal_ah ?? null,
      nominal_from: plan.model ? plan.nominal_from : null,
    };
  }

  /** What is kept of a pack. */
  reply(pack: number): EstimatesReply {
    const { pack_id, place, own, points } = this.#kept(pack);
    const trend = healthTrend(points);
    return {
      pack_id,
      basis: this.basis(pack),
      odometers: { place: this.#odometerView(pack, place), pack: this.#odometerView(pack, own) },
      health: { points, trend: trend ? { ...trend, reaches: [...trend.reaches] } : null },
      leaks:
        this.leaking(pack)?.map(({ cell, lost_pct_per_day, leak_ma }) => ({
          cell_no: cell + 1,
          lost_pct_per_day: Number(lost_pct_per_day.toFixed(3)),
          leak_ma: Number(leak_ma.toFixed(1)),
        })) ?? null,
    };
  }

  /** The account of the place, and of the pack that stands in it now. */
  lifetime(pack: number): { place: LifetimeAccount; pack: LifetimeAccount } {
    const { lifetimes, place, pack: own } = this.#packs[pack];
    return {
      place: this.#account(pack, lifetimes.place, place),
      pack: this.#account(pack, lifetimes.pack, own),
    };
  }

  /** To be kept over restarts. */
  remembered(): {
    pack_id: string;
    hasAny: () => boolean;
    toJSON: () => unknown;
    restore: (body: unknown) => boolean;
  }[] {
    return this.#packs.map((pack, i) => ({
      pack_id: this.#options.topology.packs[i].id,
      hasAny: () => pack.hasAny,
      toJSON: () => pack.toJSON(this.#options.wallMs()),
      restore: body => pack.restore(body as StoredEstimates),
    }));
  }

  #kept(pack: number) {
    const { place, pack: own, points } = this.#packs[pack];
    return { pack_id: this.#options.topology.packs[pack].id, place, own, points };
  }

  #account(pack: number, lifetime: Lifetime, odometer: Odometer): LifetimeAccount {
    const { extremes, harms } = lifetime.toJSON();
    const limits = this.#options.limits?.[pack];
    const withLimit = (name: HarmName) => {
      const { limit = null, under_load = null } = limits?.[name] ?? {};
      return { limit, under_load, ...harms[name] };
    };
    return {
      since_ms: lifetime.has_any ? lifetime.since_ms : null,
      odometer: this.#odometerView(pack, odometer),
      extremes,
      harms: Object.fromEntries(HARMS.map(name => [name, withLimit(name)])) as LifetimeAccount['harms'],
    };
  }

  #odometerView(pack: number, odometer: Odometer): OdometerView {
    const { nominal_ah } = this.basis(pack);
    const { since_ms, ah_in, ah_out, kwh_in, kwh_out, hours, band_hours } = odometer.toJSON();
    return {
      since_ms: since_ms > 0 ? since_ms : null,
      ah_in,
      ah_out,
      kwh_in,
      kwh_out,
      equivalent_full_cycles: nominal_ah === null ? null : Math.round((10 * ah_out) / nominal_ah) / 10,
      hours,
      band_hours: [...band_hours],
    };
  }
}
