/**
 * What Regulation (EU) 2023/1542, Annex VII, asks of a stationary battery in use: part A, its state of health (1 to 5),
 * and part B, its expected lifetime (1 to 5), of each pack. What nobody knows is said to be so, never made up.
 */
import type { EstimatesReply } from '../contract/estimates.ts';
import type { AnnexParameter, LifetimeAccount } from '../contract/lifetime.ts';
import type { PackDetail } from '../contract/model.ts';
import { HARMS, type HarmName } from '../lifetime/harms.ts';
import { LEAK_PCT_PER_DAY } from '../siblings/charge-drift.ts';

export const REGULATION = 'Regulation (EU) 2023/1542, Annex VII, stationary battery energy storage systems';

export interface PackFacts {
  readonly detail: PackDetail;
  readonly estimates: EstimatesReply;
  readonly account: LifetimeAccount;
  readonly t_ms: number;
}

type Value = Pick<AnnexParameter, 'value' | 'unit' | 'method'> &
  Partial<Pick<AnnexParameter, 'sd' | 'source' | 'from_ms' | 'completeness_pct'>>;

/** Full cycles after which what a pack held at the begin and holds now matters little beside what went through it. */
const CYCLES_FOR_EFFICIENCY = 10;
const HOUR_MS = 3_600_000;
const HARM_NAMES: Readonly<Record<HarmName, string>> = {
  deep_discharge: 'Deep discharges',
  over_charge: 'Overcharges',
  high_temperature: 'Time above the highest temperature',
  low_temperature: 'Time below the lowest temperature',
  cold_charge: 'Time charged in the cold',
  hot_charge: 'Time charged in the heat',
};
const TIMED = new Set<HarmName>(['high_temperature', 'low_temperature', 'cold_charge', 'hot_charge']);

export function annexParameters(facts: PackFacts): AnnexParameter[] {
  const { detail, t_ms } = facts;
  const line = (
    part: 'A' | 'B',
    no: number,
    name: string,
    unit: string,
    found: Value | string,
  ): AnnexParameter => {
    const shared = { part, no, name, pack_id: detail.id, to_ms: t_ms };
    const empty = { sd: null, source: null, from_ms: null, completeness_pct: null };
    return typeof found === 'string'
      ? { ...shared, ...empty, value: null, unit, method: '', not_determinable: found }
      : { ...shared, ...empty, ...found, not_determinable: null };
  };
  return [
    line('A', 1, 'Remaining capacity', 'Ah', remainingCapacity(facts)),
    line('A', 2, 'Remaining power capability', 'W', powerCapability(facts)),
    line('A', 3, 'Round-trip efficiency', '%', efficiency(facts)),
    line(
      'A',
      4,
      'Self-discharge beyond that of its other cells, worst cell',
      '% a day',
      selfDischarge(facts),
    ),
    line('A', 5, 'Ohmic resistance, sum of the cells', 'mΩ', resistance(facts)),
    line('B', 1, 'Date of manufacture', '', 'neither the device nor the configuration says it'),
    line('B', 1, 'Date of putting into service', '', 'neither the device nor the configuration says it'),
    ...throughput(facts).map(([no, name, unit, found]) => line('B', no, name, unit, found)),
    ...HARMS.map(name => line('B', 4, HARM_NAMES[name], unitOf(name), harm(facts, name))),
    line('B', 5, 'Full equivalent cycles', '', cycles(facts)),
  ];
}

function remainingCapacity({ detail: { values }, estimates: { basis } }: PackFacts): Value | string {
  const { estimated_soh_pct, estimated_soh_sd_pct, soh_pct, capacity_full_ah } = values;
  const { nominal_ah } = basis;
  if (isGood(estimated_soh_pct) && nominal_ah !== null)
    return {
      value: rounded((estimated_soh_pct.value / 100) * nominal_ah, 2),
      unit: 'Ah',
      sd: isGood(estimated_soh_sd_pct) ? rounded((estimated_soh_sd_pct.value / 100) * nominal_ah, 2) : null,
      method: `Estimated by the gateway of the weakest cell, from charge counted between known states of charge; ${nominal_ah} Ah when new`,
      source: 'gateway',
    };
  if (isGood(soh_pct) && nominal_ah !== null)
    return {
      value: rounded((soh_pct.value / 100) * nominal_ah, 2),
      unit: 'Ah',
      method: `State of health as the device reports it, of ${nominal_ah} Ah when new`,
      source: 'device',
    };
  if (isGood(capacity_full_ah))
    return {
      value: capacity_full_ah.value,
      unit: 'Ah',
      method: 'As the device reports it',
      source: 'device',
    };
  return 'the gateway has seen no charge between two known states yet, and the device reports neither health nor capacity';
}

function powerCapability({ detail: { values } }: PackFacts): Value | string {
  const { discharge_power_limit_w, discharge_current_limit_a, voltage_v } = values;
  if (isGood(discharge_power_limit_w))
    return {
      value: discharge_power_limit_w.value,
      unit: 'W',
      method: 'Limit of discharge power that the device reports at this moment',
      source: 'device',
    };
  if (isGood(discharge_current_limit_a) && isGood(voltage_v))
    return {
      value: Math.round(discharge_current_limit_a.value * voltage_v.value),
      unit: 'W',
      method: 'Limit of discharge current that the device reports at this moment, times its voltage',
      source: 'device',
    };
  return 'the device reports no limit of its power or current';
}

function efficiency(facts: PackFacts): Value | string {
  const { kwh_in, kwh_out, equivalent_full_cycles } = facts.account.odometer;
  if (equivalent_full_cycles === null)
    return 'the capacity when new is not known, so nobody can count cycles';
  if (equivalent_full_cycles < CYCLES_FOR_EFFICIENCY || kwh_in <= 0)
    return `${equivalent_full_cycles} full cycles were counted; ${CYCLES_FOR_EFFICIENCY} are needed, so that what it held at the begin matters little`;
  return {
    value: rounded((100 * kwh_out) / kwh_in, 1),
    unit: '%',
    // What it held at the begin and holds now may differ by a full charge: evenly between none and that.
    sd: rounded(100 / equivalent_full_cycles / Math.sqrt(12), 1),
    method: 'Energy discharged over energy charged; what it held at the begin and now is in the deviation',
    source: 'gateway',
    ...counted(facts),
  };
}

function selfDischarge({ estimates: { leaks } }: PackFacts): Value | string {
  if (leaks === null)
    return 'fewer than eight days of sure estimates are known; of all cells alike it cannot be seen while the battery works';
  const [worst] = leaks;
  if (!worst)
    return `no cell loses ${LEAK_PCT_PER_DAY} % a day more than its siblings, the least that can be seen in their estimated states of charge`;
  return {
    value: worst.lost_pct_per_day,
    unit: '% a day',
    method: `Cell ${worst.cell_no}, by its estimated state of charge against its siblings over a fortnight, as ${worst.leak_ma} mA would`,
    source: 'gateway',
  };
}

function resistance({ detail: { cells } }: PackFacts): Value | string {
  const { values, quality } = cells.estimated_resistance_mohm;
  const known = values.filter((value, i): value is number => value !== null && quality[i] === 'g');
  if (known.length === 0) return 'the gateway has seen no step of the current that is large enough yet';
  if (known.length < values.length)
    return `of ${values.length - known.length} of ${values.length} cells it is not known yet`;
  return {
    value: rounded(
      known.reduce((sum, one) => sum + one, 0),
      2,
    ),
    unit: 'mΩ',
    method: `Estimated by the gateway from steps of the current; the highest cell has ${Math.max(...known)} mΩ. Connections outside of the sense wires are not in it`,
    source: 'gateway',
  };
}

function throughput(facts: PackFacts): [no: number, name: string, unit: string, found: Value | string][] {
  const { since_ms, kwh_in, kwh_out, ah_in, ah_out } = facts.account.odometer;
  const of = (value: number, unit: string): Value | string =>
    since_ms === null
      ? 'nothing was counted yet'
      : { value: rounded(value, 3), unit, method: METHOD_COUNTED, source: 'gateway', ...counted(facts) };
  return [
    [2, 'Energy charged', 'kWh', of(kwh_in, 'kWh')],
    [2, 'Energy discharged', 'kWh', of(kwh_out, 'kWh')],
    [3, 'Charge charged', 'Ah', of(ah_in, 'Ah')],
    [3, 'Charge discharged', 'Ah', of(ah_out, 'Ah')],
  ];
}

const METHOD_COUNTED =
  'Counted from the readings of current and voltage; what ran while nobody read is not in it';

function cycles(facts: PackFacts): Value | string {
  const { equivalent_full_cycles, since_ms } = facts.account.odometer;
  if (since_ms === null) return 'nothing was counted yet';
  if (equivalent_full_cycles === null)
    return 'the capacity when new is not known: nominal_ah is not configured';
  return {
    value: equivalent_full_cycles,
    unit: '',
    method: 'Charge discharged over the capacity when new; what ran while nobody read is not in it',
    source: 'gateway',
    ...counted(facts),
  };
}

function unitOf(name: HarmName): string {
  return TIMED.has(name) ? 's' : '';
}

function harm(facts: PackFacts, name: HarmName): Value | string {
  const { limit, under_load, count, seconds, worst } = facts.account.harms[name];
  if (limit === null) return 'there is no limit for cells of this chemistry';
  if (facts.account.since_ms === null) return 'nothing was counted yet';
  const unit = name === 'deep_discharge' || name === 'over_charge' ? 'V' : '°C';
  const load = under_load === null ? '' : ` (${under_load} ${unit} under load)`;
  const most = worst === null ? '' : `; the furthest was ${worst} ${unit}`;
  const how = TIMED.has(name) ? `${count} times` : `${seconds} s in all`;
  return {
    value: TIMED.has(name) ? seconds : count,
    unit: unitOf(name),
    method: `Beyond ${limit} ${unit}${load}, ${how}${most}`,
    source: 'gateway',
    ...counted(facts),
  };
}

/** The span that was counted, and how much of it. */
function counted({
  account: { odometer },
  t_ms,
}: PackFacts): Pick<AnnexParameter, 'from_ms' | 'completeness_pct'> {
  const { since_ms, hours } = odometer;
  if (since_ms === null || t_ms <= since_ms) return { from_ms: since_ms, completeness_pct: null };
  return {
    from_ms: since_ms,
    completeness_pct: rounded(Math.min(100, (100 * hours * HOUR_MS) / (t_ms - since_ms)), 1),
  };
}

interface Shown {
  readonly value: number | null;
  readonly quality: string;
}

function isGood(shown: Shown | undefined): shown is { readonly value: number; readonly quality: string } {
  return shown !== undefined && shown.value !== null && shown.quality === 'good';
}

const rounded = (value: number, decimals: number) => Number(value.toFixed(decimals));
