/** What a name and a unit in a vendor's table most likely mean; nothing where that would be a bold guess. */
import { type CellMetricName, PACK_METRICS, type PackMetricName } from '../../../core/metrics.ts';

export type Meaning =
  | { readonly scope: 'pack'; readonly metric: PackMetricName }
  /** `first` to `last`: numbers in the name, as "cells 1-16". */
  | { readonly scope: 'cell'; readonly metric: CellMetricName; readonly first: number; readonly last: number }
  | { readonly scope: 'sensor'; readonly first: number; readonly last: number };

/** A quantity of the table of metrics, and how many of its unit one of the vendor's is. */
export interface Unit {
  readonly si: string;
  readonly factor: number;
  /** Of a temperature whose zero lies elsewhere. */
  readonly offset: number;
}

const UNITS: Readonly<Record<string, Unit>> = {
  v: { si: 'V', factor: 1, offset: 0 },
  volt: { si: 'V', factor: 1, offset: 0 },
  volts: { si: 'V', factor: 1, offset: 0 },
  mv: { si: 'V', factor: 0.001, offset: 0 },
  cv: { si: 'V', factor: 0.01, offset: 0 },
  a: { si: 'A', factor: 1, offset: 0 },
  amp: { si: 'A', factor: 1, offset: 0 },
  amps: { si: 'A', factor: 1, offset: 0 },
  ma: { si: 'A', factor: 0.001, offset: 0 },
  ca: { si: 'A', factor: 0.01, offset: 0 },
  ah: { si: 'Ah', factor: 1, offset: 0 },
  mah: { si: 'Ah', factor: 0.001, offset: 0 },
  '%': { si: '%', factor: 1, offset: 0 },
  percent: { si: '%', factor: 1, offset: 0 },
  '‰': { si: '%', factor: 0.1, offset: 0 },
  c: { si: '°C', factor: 1, offset: 0 },
  degc: { si: '°C', factor: 1, offset: 0 },
  celsius: { si: '°C', factor: 1, offset: 0 },
  k: { si: '°C', factor: 1, offset: -273.15 },
  kelvin: { si: '°C', factor: 1, offset: -273.15 },
  kwh: { si: 'kWh', factor: 1, offset: 0 },
  wh: { si: 'kWh', factor: 0.001, offset: 0 },
  w: { si: 'W', factor: 1, offset: 0 },
  kw: { si: 'W', factor: 1000, offset: 0 },
  kohm: { si: 'kΩ', factor: 1, offset: 0 },
  kω: { si: 'kΩ', factor: 1, offset: 0 },
  ohm: { si: 'kΩ', factor: 0.001, offset: 0 },
  ω: { si: 'kΩ', factor: 0.001, offset: 0 },
};

/** "0.1V", "mV", "°C": undefined where it is no unit of a quantity that is read. */
export function unitOf(text: string): Unit | undefined {
  const [, number, name] =
    /^([\d.,/]*)\s*\*?\s*(.*)$/.exec(text.normalize('NFKC').trim().toLowerCase()) ?? [];
  const unit = UNITS[(name ?? '').replace(/[°º˚()[\]\s.]/g, '')];
  if (!unit || !number) return unit;
  const step = numberIn(number);
  return step === undefined || step <= 0 ? undefined : { ...unit, factor: round(unit.factor * step) };
}

/** "0.01", "0,01", "1/100". */
export function numberIn(text: string): number | undefined {
  const [, above, below] = /^([+-]?[\d.,]+(?:e[+-]?\d+)?)(?:\s*\/\s*([\d.]+))?$/i.exec(text.trim()) ?? [];
  if (above === undefined) return undefined;
  const number = Number(above.replace(/^([+-]?\d*),(\d+)$/, '$1.$2'));
  const value = below === undefined ? number : number / Number(below);
  return Number.isFinite(value) ? value : undefined;
}

/** Products of decimal steps as people write them: 0.1 × 0.001 is 0.0001. */
export function round(value: number): number {
  return Number(value.toPrecision(12));
}

/** "PackVoltage_mV", "Cell#12 volt": words in small letters, numbers apart. */
function wordsOf(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/([A-Za-z])(\d)/g, '$1 $2')
    .replace(/(\d)([A-Za-z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^a-z0-9~\-–]+/g, ' ')
    .trim();
}

/** What a value beside the measured one is called: settings, counters, positions. */
const OTHER =
  /\b(number|index|no|nr|num|pos(ition)?|id|diff(erence)?|delta|spread|alarm|warn(ing)?|prot(ect(ion)?)?|thres(hold)?|set(ting|point)?|config|release|recover(y)?|delay|over|under|ovp|uvp|calib(ration)?|offset|ratio|fault|error|flag|time|date|version|reserved?|rated?|count|status|state|type|enable|module|string|rack|balanc\w*|resistance|mos(fet)?|ambient|pcb|board|env(ironment)?|heater|load|charger|p?re ?charge)\b/;
const MAX = /\b(max(imum)?|high(est)?)\b/;
const MIN = /\b(min(imum)?|low(est)?)\b/;
const EXTREME = new RegExp(`${MAX.source}|${MIN.source}`);
const MEAN = /\b(avg|average|mean)\b/;

interface Rule {
  readonly is: RegExp;
  readonly not?: RegExp;
  readonly metric: PackMetricName;
}

const CHARGE = /\bchar?g(e|ing)?\b/;
const DISCHARGE = /\bdis ?chg\b|\bdis ?charg(e|ing)?\b/;
const LIMIT = /\b(limit|max(imum)?|allow(ed|able)?|permitted|request(ed)?|cut ?off|ccl|dcl|cvl|dvl)\b/;

/** Of the pack as a whole, the first that fits; the unit decides between quantities. */
const PACK_RULES: readonly Rule[] = [
  { is: /\bsoc\b|state of charge/, not: EXTREME, metric: 'soc_pct' },
  { is: /\bsoh\b|state of health/, metric: 'soh_pct' },
  { is: /\bsoe\b|state of energy/, metric: 'soe_pct' },
  { is: /\bcycles?\b/, metric: 'cycle_count' },
  { is: /\b(insulation|isolation)\b/, metric: 'insulation_resistance_kohm' },
  {
    is: /\b(remain(ing)?|residual|left|available|current)\b.*\b(cap(acity)?|ah)\b/,
    metric: 'capacity_remaining_ah',
  },
  { is: /\b(full|total|nominal|design|actual)\b.*\b(cap(acity)?|ah)\b/, metric: 'capacity_full_ah' },
  { is: /\b(remain(ing)?|residual)\b.*\benergy\b/, metric: 'energy_remaining_kwh' },
];

/** Quantities of which the name alone says enough: counts, and ratios. */
const UNITLESS = new Set<PackMetricName>(['cycle_count', 'soc_pct', 'soh_pct', 'soe_pct']);

/** What nothing is guessed of, and why. */
export interface NoMeaning {
  readonly why: string;
}

/** What stands in the column of units where there is none. */
const NO_UNIT = /^(|[-–/.]|n\/?a|none|times?|cycles?|counts?|次)$/i;

export function meaningOf(name: string, unit_text: string): Meaning | NoMeaning {
  const words = wordsOf(name);
  const has_unit = !NO_UNIT.test(unit_text.trim());
  const unit = has_unit ? unitOf(unit_text) : undefined;
  if (has_unit && !unit) return { why: `unit "${unit_text}" is none of a quantity that is read` };
  const numbered = /\b(\d{1,4})(?:\s*(?:-|–|~|to)\s*(\d{1,4}))?\b(?!.*\d)/.exec(words);
  const first = Number(numbered?.[1] ?? Number.NaN);
  const last = Number(numbered?.[2] ?? numbered?.[1] ?? Number.NaN);
  const is_plain = !MAX.test(words) && !MIN.test(words) && !MEAN.test(words) && !OTHER.test(words);
  const row = rowMeaning(words, unit, first, last);
  if (row && is_plain) return row;
  const metric = packMetric(words, unit);
  if (!metric) return { why: 'the name does not say which quantity it is' };
  const wanted = PACK_METRICS.find(one => one.name === metric)?.unit ?? '';
  if (unit === undefined && !UNITLESS.has(metric)) return { why: `likely ${metric}, but it has no unit` };
  if (unit !== undefined && unit.si !== wanted)
    return { why: `likely ${metric}, but ${unit_text} is no unit of it` };
  return { scope: 'pack', metric };
}

function rowMeaning(words: string, unit: Unit | undefined, first: number, last: number): Meaning | undefined {
  if (Number.isNaN(first) || last < first || last - first > 4095) return undefined;
  if (unit?.si === 'V' && /\b(v?cells?|bricks?)\b/.test(words))
    return { scope: 'cell', metric: 'voltage_v', first, last };
  if (unit?.si === '°C' && /\b(temp(erature)?s?|sensor|ntc|probe|t)\b/.test(words))
    return { scope: 'sensor', first, last };
  return undefined;
}

function packMetric(words: string, unit: Unit | undefined): PackMetricName | undefined {
  const named = PACK_RULES.find(({ is, not }) => is.test(words) && !not?.test(words));
  if (named && !/\b(alarm|warn(ing)?|prot(ect(ion)?)?|thres(hold)?|set(ting)?|release|delay)\b/.test(words))
    return named.metric;
  const is_extreme = MAX.test(words) !== MIN.test(words);
  const without = words.replace(DISCHARGE, 'dis').replace(CHARGE, 'chg');
  if (OTHER.test(without)) return undefined;
  if (LIMIT.test(words) && (DISCHARGE.test(words) || CHARGE.test(words))) {
    const way = DISCHARGE.test(words) ? 'discharge' : 'charge';
    if (unit?.si === 'V' || /\bvolt(age)?\b/.test(words)) return `${way}_voltage_limit_v`;
    if (unit?.si === 'A' || /\bcurrent\b/.test(words)) return `${way}_current_limit_a`;
    if (unit?.si === 'W' || /\bpower\b/.test(words)) return `${way}_power_limit_w`;
    return undefined;
  }
  if (DISCHARGE.test(words) || CHARGE.test(words)) {
    if (unit?.si === 'kWh') return DISCHARGE.test(words) ? 'energy_out_kwh' : 'energy_in_kwh';
    return undefined;
  }
  if (is_extreme) {
    const side = MAX.test(words) ? 'max' : 'min';
    if (unit?.si === 'V' && /\bcell\b/.test(words)) return `cell_voltage_${side}_v`;
    if (unit?.si === '°C') return `cell_temperature_${side}_c`;
    return undefined;
  }
  if (MEAN.test(words) || /\bcell\b/.test(words) || /\d/.test(words)) return undefined;
  if (/\b(volt(age)?s?|vbat|vpack|pack v|u)\b/.test(words)) return 'voltage_v';
  if (/\b(current|amps?|ibat|ipack|pack i)\b/.test(words)) return 'current_a';
  if (/\btemp(erature)?\b/.test(words)) return 'temperature_c';
  return undefined;
}
