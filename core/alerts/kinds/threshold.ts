/**
 * A quantity beyond its limits, with hysteresis and delays. One alert per rule and pack, naming the worst cell: a cold
 * night raises one alert a pack, not one a cell; its severity follows the worst limit that is crossed. Only good values
 * raise or clear; while there is none to judge by, what is active is unknown.
 */
import { CELL_METRICS, CellMetric, PackMetric } from '../../metrics.ts';
import type { PackNode, Topology } from '../../topology/topology.ts';
import type { Alert } from '../alert.ts';
import { type AlertBook, type Emit, type Found, holding } from '../alert-book.ts';
import {
  type CauseCell,
  type Figure,
  figureOf,
  PackFigures,
  type ReadyLimit,
  readyLimit,
  ruleQuantity,
} from '../figures.ts';
import { type PackRule, ruleOfPack, type ThresholdRule } from '../rule.ts';
import type { PackMoment, PackSubject, Pending, RuleKind } from './kind.ts';

const LEVELS = 3;

/**
 * A rule as it holds for one pack, and how long its value has been beyond its limits, or back, by monotonic time;
 * NaN: it is not.
 */
class Watched implements PackRule {
  readonly rule: ThresholdRule;
  readonly levels: PackRule['levels'];
  readonly hysteresis: number;
  readonly figure: Figure;
  /** Of its levels. */
  readonly limits: readonly ReadyLimit[];
  /** Times it, limits are crossed upwards. */
  readonly sign: number;
  /** `sign` times the value: up to this no limit is crossed; -Infinity: one of them depends on something. */
  readonly inside_up_to: number;
  /** The open alerts of the rule, by subject. */
  readonly open: readonly (Alert | undefined)[];
  readonly beyond_since_ms: Float64Array;
  /** Whether any of those is a time. */
  isBeyondAny: boolean;
  /** Back from the level of the active alert, and from all levels. */
  back_since_ms: number;
  clear_since_ms: number;
  /** When it was judged last. */
  judged_ms: number;

  constructor({ rule, levels, hysteresis }: PackRule, open: Watched['open'], before: Watched | undefined) {
    this.rule = rule;
    this.levels = levels;
    this.hysteresis = hysteresis;
    this.figure = figureOf(rule);
    this.limits = levels.map(({ limit }) => readyLimit(limit));
    const sign = rule.direction === 'above' ? 1 : -1;
    this.sign = sign;
    this.inside_up_to = Math.min(
      ...levels.map(({ limit }) => (typeof limit === 'number' ? sign * limit : Number.NEGATIVE_INFINITY)),
    );
    this.open = open;
    this.beyond_since_ms = before?.beyond_since_ms ?? new Float64Array(LEVELS).fill(Number.NaN);
    this.isBeyondAny = before?.isBeyondAny ?? false;
    this.back_since_ms = before?.back_since_ms ?? Number.NaN;
    this.clear_since_ms = before?.clear_since_ms ?? Number.NaN;
    this.judged_ms = before?.judged_ms ?? Number.NaN;
  }

  forget(): void {
    if (!this.isBeyondAny) return;
    this.isBeyondAny = false;
    this.beyond_since_ms.fill(Number.NaN);
  }

  forgetBack(): void {
    this.back_since_ms = this.clear_since_ms = Number.NaN;
  }
}

export class ThresholdRules implements RuleKind {
  readonly #topology: Topology;
  readonly #book: AlertBook;
  #rules: readonly ThresholdRule[] = [];
  /** By pack. */
  #watched: readonly (readonly Watched[])[] = [];
  readonly #figures: readonly PackFigures[];
  readonly #first_reading_ms: Float64Array;

  constructor(topology: Topology, rules: readonly ThresholdRule[], book: AlertBook) {
    this.#topology = topology;
    this.#book = book;
    this.#first_reading_ms = new Float64Array(topology.packs.length).fill(Number.NaN);
    this.#figures = topology.packs.map(() => new PackFigures());
    this.replace(rules);
  }

  get rules(): readonly ThresholdRule[] {
    return this.#rules;
  }

  /** What is active stays active until a reading clears it by the new ones; delays that run go on. */
  replace(rules: readonly ThresholdRule[]): void {
    this.#rules = rules;
    const before = this.#watched;
    this.#watched = this.#topology.packs.map(node =>
      rules.flatMap(rule => {
        const found = this.#ofPack(rule, node);
        const old = before[node.pack]?.find(one => one.rule.id === rule.id);
        return found ? [new Watched(found, this.#book.openOf(rule.id), old)] : [];
      }),
    );
    const metrics = rules.flatMap(({ on }) => (on.scope === 'cell' ? [CellMetric[on.metric]] : []));
    for (const figures of this.#figures) figures.judgeCells(metrics);
  }

  /** As they hold for one pack, each limit with where it comes from. */
  ofPack(pack: number): readonly PackRule[] {
    return this.#watched[pack] ?? [];
  }

  /** The spread of cells at rest that is a warning for a pack, V. */
  spreadLimit(pack: number): number | undefined {
    const found = this.ofPack(pack).find(
      ({ rule }) => rule.on.metric === 'cell_voltage_spread_v' && rule.during === 'rest',
    );
    const limit = found?.levels.find(({ severity }) => severity === 'warning')?.limit;
    return typeof limit === 'number' ? limit : undefined;
  }

  knows(rule_id: string, node: PackNode): boolean {
    return this.ofPack(node.pack).some(({ rule }) => rule.id === rule_id);
  }

  judge(moment: PackMoment, book: AlertBook, emit: Emit): void {
    const { subject, reading, mono_ms, is_silent, t_ms } = moment;
    const watched = this.#watched[subject.index];
    const figures = this.#figures[subject.index];
    if (reading) {
      figures.take(reading);
      if (Number.isNaN(this.#first_reading_ms[subject.index]))
        this.#first_reading_ms[subject.index] = mono_ms;
    }
    const awake_ms = mono_ms - this.#first_reading_ms[subject.index];
    for (let i = 0; i < watched.length; i++) {
      const one = watched[i];
      const value = reading ? figures.value(one.figure) : Number.NaN;
      if (!Number.isNaN(value)) {
        const isAtPeace =
          one.sign * value <= one.inside_up_to && !one.isBeyondAny && one.open[subject.index] === undefined;
        if (!isAtPeace) this.#judgeOne(one, value, awake_ms, figures, moment, book, emit);
        else {
          one.judged_ms = mono_ms;
          one.forgetBack();
        }
      } else if (is_silent || mono_ms - one.judged_ms > moment.silent_after_ms) {
        one.forget();
        // That it was back before is not that it was back all along.
        one.forgetBack();
        const since_ms = t_ms - (mono_ms - one.judged_ms);
        book.setUnknown(one.rule.id, subject, Number.isNaN(since_ms) ? t_ms : since_ms, t_ms, emit);
      } else if (Number.isNaN(one.judged_ms) && one.open[subject.index] !== undefined)
        // An alert from before the start: as long as its value cannot be trusted is counted from here.
        one.judged_ms = mono_ms;
    }
  }

  /** Delays that run, for a restart. */
  pending(mono_ms: number): Pending[] {
    return this.#watched.flatMap((watched, pack) =>
      watched.flatMap(({ rule, beyond_since_ms, back_since_ms, clear_since_ms }) => {
        const lasted = (since_ms: number) => (Number.isNaN(since_ms) ? null : mono_ms - since_ms);
        const lasted_ms = [...beyond_since_ms].map(lasted);
        const [back_ms, clear_ms] = [lasted(back_since_ms), lasted(clear_since_ms)];
        if ([back_ms, clear_ms, ...lasted_ms].every(one => one === null)) return [];
        return [{ rule_id: rule.id, pack_id: this.#topology.packs[pack].id, lasted_ms, back_ms, clear_ms }];
      }),
    );
  }

  /** Goes on with delays from before a restart; a pack that is back inside at its first reading begins again. */
  resume(pending: readonly Pending[], mono_ms: number): void {
    for (const { rule_id, pack_id, lasted_ms, back_ms, clear_ms = back_ms } of pending) {
      const node = this.#topology.packs.find(({ id }) => id === pack_id);
      const one = node && this.#watched[node.pack].find(({ rule }) => rule.id === rule_id);
      for (let level = 0; one && level < LEVELS; level++)
        one.beyond_since_ms[level] = mono_ms - (lasted_ms[level] ?? Number.NaN);
      if (!one) continue;
      one.isBeyondAny = true;
      one.back_since_ms = mono_ms - (back_ms ?? Number.NaN);
      one.clear_since_ms = mono_ms - (clear_ms ?? Number.NaN);
    }
  }

  #judgeOne(
    one: Watched,
    value: number,
    awake_ms: number,
    figures: PackFigures,
    { subject, t_ms, mono_ms, doubts }: PackMoment,
    book: AlertBook,
    emit: Emit,
  ): void {
    const { rule, levels } = one;
    const active = holding(one.open[subject.index]);
    if (rule.during !== undefined && figures.isDuring(rule.during) !== true) {
      one.forget();
      // While nothing is charged, nothing is charged in the cold; but a spread under load is not over at rest.
      const isOver = rule.during === 'charging' || rule.during === 'discharging';
      one.judged_ms = mono_ms;
      if (isOver && active) this.#clearAfter(one, subject, mono_ms, t_ms, book, emit);
      return;
    }
    const { sign } = one;
    const cell = figures.cell(one.figure);
    let due = levels.length;
    let held = levels.length;
    let isJudged = false;
    one.isBeyondAny = false;
    for (let level = levels.length - 1; level >= 0; level--) {
      const at = figures.limit(one.limits[level], cell);
      if (Number.isNaN(at)) {
        if (!Number.isNaN(one.beyond_since_ms[level])) one.isBeyondAny = true;
        continue;
      }
      isJudged = true;
      const isBeyond = sign * value > sign * at;
      if (isBeyond) one.isBeyondAny = true;
      if (!isBeyond) one.beyond_since_ms[level] = Number.NaN;
      else if (Number.isNaN(one.beyond_since_ms[level])) one.beyond_since_ms[level] = mono_ms;
      const after_ms = levels[level].severity === 'critical' ? rule.critical_after_ms : rule.raise_after_ms;
      if (isBeyond && awake_ms >= rule.inhibit_ms && mono_ms - one.beyond_since_ms[level] >= after_ms)
        due = level;
      if (sign * value > sign * at - one.hysteresis) held = level;
    }
    if (!isJudged) return;
    one.judged_ms = mono_ms;
    if (!active) {
      one.forgetBack();
      if (due < levels.length)
        book.raise(
          { id: rule.id, severity: levels[due].severity, latch: rule.latch },
          subject,
          found(one, due, value, figures, doubts),
          t_ms,
          emit,
        );
      return;
    }
    if (active.unknown_since_ms !== null) book.setKnown(rule.id, subject, t_ms, emit);
    if (held < levels.length) one.clear_since_ms = Number.NaN;
    const now = levels.findIndex(({ severity }) => severity === active.severity);
    if (due < levels.length && (due < now || now < 0)) {
      one.back_since_ms = Number.NaN;
      const worse = found(one, due, value, figures, doubts);
      book.update(rule.id, subject, worse, t_ms, emit, levels[due].severity);
    } else if (held <= now && held < levels.length) one.back_since_ms = Number.NaN;
    else {
      if (Number.isNaN(one.back_since_ms)) one.back_since_ms = mono_ms;
      if (held === levels.length) this.#clearAfter(one, subject, mono_ms, t_ms, book, emit);
      else if (mono_ms - one.back_since_ms >= rule.clear_after_ms) {
        one.back_since_ms = Number.NaN;
        const back = found(one, held, value, figures, doubts);
        book.update(rule.id, subject, back, t_ms, emit, levels[held].severity);
      }
    }
  }

  /** While the value is back from all levels. */
  #clearAfter(
    one: Watched,
    subject: PackSubject,
    mono_ms: number,
    t_ms: number,
    book: AlertBook,
    emit: Emit,
  ): void {
    if (Number.isNaN(one.clear_since_ms)) one.clear_since_ms = mono_ms;
    if (mono_ms - one.clear_since_ms < one.rule.clear_after_ms) return;
    one.forgetBack();
    book.clear(one.rule, subject, t_ms, emit);
  }

  #ofPack(rule: ThresholdRule, node: PackNode): PackRule | undefined {
    return ruleOfPack(rule, node, this.#topology.batteries[node.battery].chemistry);
  }
}

/**
 * "Cell 3: cell voltage 3.712 V is above 3.65 V (2 more cells)", "State of charge 9.9 % is below 10 %", "Cell temperature
 * spread 22 °C is above 15 °C: cell 3 at 47 °C, cell 9 at 25 °C".
 */
function found(
  { rule, limits, figure }: Watched,
  level: number,
  value: number,
  figures: PackFigures,
  doubts: PackMoment['doubts'],
): Found {
  if (rule.on.metric === 'untrusted_values') return foundUntrusted(value, doubts?.() ?? []);
  if (rule.on.metric === 'soc_apart_pct') return foundApart(value, figures.limit(limits[level], -1), figures);
  const { unit, decimals, label } = ruleQuantity(rule);
  const cell = figures.cell(figure);
  const at = figures.limit(limits[level], cell);
  const rounded = Number(value.toFixed(decimals));
  const threshold = Number(at.toFixed(decimals));
  const space = unit ? ' ' : '';
  const subject = cell >= 0 ? `Cell ${cell + 1}: ${label}` : label[0].toUpperCase() + label.slice(1);
  const others = figures.cellsBeyond(figure, at) - 1;
  const more = others > 0 ? ` (${others} more ${others === 1 ? 'cell' : 'cells'})` : '';
  const during = rule.during ? ` ${DURING[rule.during]}` : '';
  const causes = figures.causes(figure);
  const named = causes
    ? `: ${[causes, causes.other].flatMap(one => (one ? [cellText(one)] : [])).join(', ')}`
    : '';
  const cell_no = cell >= 0 ? cell + 1 : causes ? causes.cell + 1 : null;
  return {
    message: `${subject} ${rounded}${space}${unit} is ${rule.direction} ${threshold}${space}${unit}${during}${more}${named}`,
    value: rounded,
    threshold,
    unit,
    cell_no,
  };
}

/** "cell 3 at 47 °C" */
function cellText({ cell, metric, value }: CauseCell): string {
  const { unit } = CELL_METRICS[metric];
  return `cell ${cell + 1} at ${Number(value.toFixed(metric === CellMetric.temperature_c ? 1 : 3))} ${unit}`;
}

/** "The device reports a state of charge of 80 %, the gateway estimates 41.2 ± 6 %". */
function foundApart(value: number, threshold: number, figures: PackFigures): Found {
  const device = figures.pack(PackMetric.soc_pct).toFixed(0);
  const estimate = figures.pack(PackMetric.estimated_soc_pct).toFixed(1);
  const band = Number((2 * figures.pack(PackMetric.estimated_soc_sd_pct)).toFixed(1));
  const message = `The device reports a state of charge of ${device} %, the gateway estimates ${estimate} ± ${band} %`;
  return { message, value: Number(value.toFixed(1)), threshold, unit: '%' };
}

/** "2 values are stale or suspect: cell 2 voltage has not moved since …". */
function foundUntrusted(count: number, reasons: readonly string[]): Found {
  const what = count === 1 ? '1 value is stale or suspect' : `${count} values are stale or suspect`;
  return {
    message: reasons.length > 0 ? `${what}: ${reasons.join('; ')}` : what,
    value: count,
    threshold: 0,
  };
}

const DURING = {
  charging: 'while charging',
  discharging: 'while discharging',
  load: 'under load',
  rest: 'at rest',
} as const;
