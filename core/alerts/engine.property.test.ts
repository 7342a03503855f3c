/** Whatever values come, go missing and fall silent: no alert without its delay, none that chatters, none moved by restarts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric } from '../metrics.ts';
import { Quality } from '../reading/quality.ts';
import { runsOf } from '../testing/property-runs.ts';
import type { Alert } from './alert.ts';
import { AlertBench, SILENT_AFTER_MS } from './testing/alert-bench.ts';
import { makeRule } from './testing/make-rule.ts';

const STEP_MS = 1000;
const [WARNING_V, CRITICAL_V, HYSTERESIS_V] = [3.5, 3.65, 0.05];

/** A voltage for some moments; before it none that can be trusted for some, or a silent pack for longer than it may be. */
interface Part {
  readonly voltage_v: number;
  readonly moments: number;
  readonly before: 'nothing' | 'untrusted' | 'silent';
}
const part: fc.Arbitrary<Part> = fc.record({
  voltage_v: fc.constantFrom(3.3, 3.449, 3.451, 3.48, 3.499, 3.501, 3.55, 3.599, 3.601, 3.64, 3.651, 3.8),
  moments: fc.integer({ min: 1, max: 12 }),
  before: fc.constantFrom('nothing', 'nothing', 'nothing', 'untrusted', 'silent'),
});
const parts = fc.array(part, { minLength: 1, maxLength: 16 });
const delay_ms = fc.integer({ min: 0, max: 8 }).map(n => n * STEP_MS);
const timing = fc.record({
  raise_after_ms: delay_ms,
  critical_after_ms: delay_ms,
  clear_after_ms: delay_ms,
  inhibit_ms: fc.constantFrom(0, 0, 5000),
});

interface Moment {
  readonly kind: 'value' | 'untrusted' | 'silent';
  readonly voltage_v: number;
  readonly silent_ms: number;
}

function momentsOf(all: readonly Part[]): Moment[] {
  return all.flatMap(({ voltage_v, moments, before }) => {
    const count = before === 'nothing' ? 0 : before === 'untrusted' ? 6 : SILENT_AFTER_MS / STEP_MS + 3;
    const kind = before === 'silent' ? 'silent' : 'untrusted';
    return [
      ...Array.from(
        { length: count },
        (_, i) => ({ kind, voltage_v, silent_ms: (i + 1) * STEP_MS }) as const,
      ),
      ...Array.from({ length: moments }, () => ({ kind: 'value', voltage_v, silent_ms: 0 }) as const),
    ];
  });
}

function play(
  bench: AlertBench,
  moments: readonly Moment[],
  restarts: ReadonlySet<number> = new Set(),
): void {
  const { reading } = bench;
  for (const [i, { kind, voltage_v, silent_ms }] of moments.entries()) {
    const t_ms = i * STEP_MS;
    reading.t_ms = reading.mono_ms = t_ms;
    reading.column(CellMetric.voltage_v).fill(voltage_v);
    reading.columnQuality(CellMetric.voltage_v).fill(kind === 'value' ? Quality.good : Quality.suspect);
    bench.facts(t_ms, kind === 'silent' ? { silent_ms } : { reading });
    // Where a value was just seen: what is known of a gap is not kept.
    if (restarts.has(i) && kind === 'value') bench.restart(t_ms);
  }
}

type Timing = typeof timing extends fc.Arbitrary<infer T> ? T : never;
const ruleOf = (given: Timing) =>
  makeRule({
    limits: [{ warning: WARNING_V, critical: CRITICAL_V, hysteresis: HYSTERESIS_V, from: 'default' }],
    ...given,
  });
const CHANGES = new Set(['raised', 'recurred', 'updated', 'cleared']);
const ofRule = (emitted: readonly Alert[]) =>
  emitted.filter(({ rule_id, change }) => rule_id === 'cell_voltage_high' && CHANGES.has(change));

/** What began at the warning is not how long it has been back from the critical level. */
const WORSE_WHILE_GETTING_BETTER: [Part[], Timing] = [
  [3.501, 3.3, 3.8, 3.48].map(voltage_v => ({ voltage_v, moments: 1, before: 'nothing' })),
  { raise_after_ms: 0, critical_after_ms: 0, clear_after_ms: STEP_MS, inhibit_ms: 0 },
];

test('nothing is raised, gets worse or is cleared before that was so for its whole delay', () => {
  fc.assert(
    fc.property(parts, timing, (all, given) => {
      const moments = momentsOf(all);
      const bench = new AlertBench([ruleOf(given)]);
      play(bench, moments);
      let severity = '';
      for (const alert of ofRule(bench.emitted)) {
        const at = alert.changed_ms / STEP_MS;
        const span = (after_ms: number) => moments.slice(Math.max(0, at - after_ms / STEP_MS), at + 1);
        const wasSo = (after_ms: number, isSo: (voltage_v: number) => boolean) => {
          expect(at * STEP_MS).toBeGreaterThanOrEqual(after_ms);
          for (const { kind, voltage_v } of span(after_ms)) {
            expect(kind, alert.change).not.toBe('silent');
            if (kind === 'value') expect(isSo(voltage_v), `${alert.change} at ${voltage_v} V`).toBe(true);
          }
        };
        const isCritical = alert.severity === 'critical';
        if (alert.change === 'cleared') wasSo(given.clear_after_ms, v => v < WARNING_V - HYSTERESIS_V);
        else if (alert.change === 'updated' && !isCritical)
          wasSo(given.clear_after_ms, v => v < CRITICAL_V - HYSTERESIS_V);
        else if (isCritical) wasSo(given.critical_after_ms, v => v > CRITICAL_V);
        else wasSo(given.raise_after_ms, v => v > WARNING_V);
        expect(`${alert.change} ${alert.severity}`).not.toBe(`updated ${severity}`);
        severity = alert.severity;
        if (alert.change === 'raised') expect(alert.changed_ms).toBeGreaterThanOrEqual(given.inhibit_ms);
      }
    }),
    { numRuns: runsOf(600), examples: [WORSE_WHILE_GETTING_BETTER] },
  );
});

test('within the hysteresis nothing changes, however the value swings', () => {
  const swing = fc.array(
    fc.double({ min: WARNING_V - HYSTERESIS_V + 1e-4, max: CRITICAL_V - 1e-4, noNaN: true }),
    { minLength: 1, maxLength: 200 },
  );
  fc.assert(
    fc.property(swing, timing, (voltages, given) => {
      const bench = new AlertBench([ruleOf({ ...given, inhibit_ms: 0 })]);
      const raise = Array.from({ length: 12 }, () => 3.55);
      const values = [...raise, ...voltages].map(
        voltage_v => ({ kind: 'value', voltage_v, silent_ms: 0 }) as const,
      );
      play(bench, values);
      expect(bench.emitted.map(({ change }) => change)).toEqual(['raised']);
    }),
    { numRuns: runsOf(200) },
  );
});

test('restarts at any moments change nothing of what is raised, gets worse or better, and is cleared, nor when', () => {
  const at = fc.uniqueArray(fc.nat({ max: 250 }), { maxLength: 12 });
  fc.assert(
    fc.property(parts, timing, at, (all, given, restarts) => {
      const moments = momentsOf(all);
      const rule = ruleOf({ ...given, inhibit_ms: 0 });
      const [through, restarted] = [new AlertBench([rule]), new AlertBench([rule])];
      play(through, moments);
      play(restarted, moments, new Set(restarts));
      const story = ({ emitted }: AlertBench) => ofRule(emitted).map(({ changed_by: _, ...alert }) => alert);
      expect(story(restarted)).toEqual(story(through));
    }),
    { numRuns: runsOf(600) },
  );
});

test('after a restart an alert whose values cannot be trusted is unknown once that has lasted', () => {
  const bench = new AlertBench([makeRule()]);
  play(bench, [{ kind: 'value', voltage_v: 3.8, silent_ms: 0 }]);
  bench.restart(500);
  const untrusted = { kind: 'untrusted', voltage_v: 3.8, silent_ms: 0 } as const;
  play(
    bench,
    Array.from({ length: 20 }, () => untrusted),
  );
  expect(bench.emitted.map(({ change }) => change)).toEqual(['raised', 'unknown']);
});
