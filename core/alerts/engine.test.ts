/** The alert engine: hysteresis, delays, levels, quality, silence, device alarms, restart. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../metrics.ts';
import { Quality } from '../reading/quality.ts';
import { runsOf } from '../testing/property-runs.ts';
import { AlertBench, makeTopology } from './testing/alert-bench.ts';
import { makeRule } from './testing/make-rule.ts';

const overVoltage = makeRule({ critical_after_ms: 4000 });
const atOnce = makeRule();
const lowSoc = makeRule({
  id: 'soc_low',
  on: { scope: 'pack', metric: 'soc_pct' },
  direction: 'below',
  limits: [{ warning: 10, hysteresis: 2, from: 'default' }],
});

test('raised only after its delay, by the worst cell, and cleared only beyond the hysteresis', () => {
  const bench = new AlertBench([overVoltage]);
  bench.cell(2, 3.7);
  bench.cell(1, 3.66);
  bench.at(0);
  bench.at(2000);
  expect(bench.emitted).toEqual([]);
  bench.at(4000);
  expect(bench.emitted).toMatchObject([
    {
      rule_id: 'cell_voltage_high',
      cell_no: 3,
      state: 'active',
      value: 3.7,
      threshold: 3.65,
      occurrences: 1,
    },
  ]);
  expect(bench.emitted[0].message).toBe('Cell 3: cell voltage 3.7 V is above 3.65 V (1 more cell)');
  bench.cell(2, 3.62);
  bench.cell(1, 3.3);
  bench.at(6000);
  expect(bench.active()).toHaveLength(1);
  bench.cell(2, 3.59);
  bench.at(8000);
  expect(bench.active()).toEqual([]);
  expect(bench.emitted[1]).toMatchObject({ id: bench.emitted[0].id, state: 'cleared', cleared_ms: 8000 });
});

test('a dip back inside starts the delay again', () => {
  const bench = new AlertBench([overVoltage]);
  for (const [t_ms, voltage_v] of [
    [0, 3.7],
    [3000, 3.64],
    [4000, 3.7],
    [6000, 3.7],
  ]) {
    bench.cell(0, voltage_v);
    bench.at(t_ms);
  }
  expect(bench.emitted).toEqual([]);
  bench.at(8000);
  expect(bench.emitted).toHaveLength(1);
});

test('pushed at 1 s with a delay of 1 s it comes between 2 and 2.5 s, and goes 3 s after the push ends', () => {
  const bench = new AlertBench([makeRule({ critical_after_ms: 1000, clear_after_ms: 3000 })]);
  for (let t_ms = 0; t_ms <= 12_000; t_ms += 500) {
    bench.cell(0, t_ms >= 1000 && t_ms < 6000 ? 3.7 : 3.3);
    bench.at(t_ms);
  }
  expect(bench.story()).toEqual(['2000 raised critical', '9000 cleared critical']);
});

test('nothing is raised in the first seconds of a pack; what is true then is raised after them', () => {
  const bench = new AlertBench([makeRule({ inhibit_ms: 5000, critical_after_ms: 1000 })]);
  bench.cell(0, 3.7);
  for (let t_ms = 100_000; t_ms <= 106_000; t_ms += 1000) bench.at(t_ms);
  expect(bench.story()).toEqual(['105000 raised critical']);
});

test('one alert follows the worst level that is crossed; getting worse asks for acknowledgement again', () => {
  const limits = [{ warning: 3.65, critical: 3.75, hysteresis: 0.05, from: 'default' }];
  const bench = new AlertBench([makeRule({ limits })]);
  const act = { by: 'mo', at_ms: 2 };
  const steps: [number, number][] = [
    [1, 3.7],
    [3, 3.8],
    [4, 3.72],
    [5, 3.69],
    [6, 3.61],
    [7, 3.59],
  ];
  for (const [t_ms, voltage_v] of steps) {
    bench.cell(0, voltage_v);
    bench.at(t_ms);
    const [alert] = bench.open();
    if (t_ms === 1) bench.engine.book.acknowledge(alert.id, act, null, bench.emit);
    if (t_ms === 3)
      expect(alert).toMatchObject({ severity: 'critical', acknowledged: null, threshold: 3.75 });
  }
  expect(bench.story()).toEqual([
    '1 raised warning',
    '2 acknowledged warning',
    '3 updated critical',
    '5 updated warning',
    '7 cleared warning',
  ]);
  expect(new Set(bench.emitted.map(({ id }) => id)).size).toBe(1);
});

test('a value that cannot be trusted neither raises nor clears; after a while the alert is unknown', () => {
  const bench = new AlertBench([atOnce]);
  const quality = bench.reading.columnQuality(CellMetric.voltage_v);
  bench.cell(0, 8.191);
  quality[0] = Quality.suspect;
  bench.at(0);
  expect(bench.emitted).toEqual([]);
  bench.cell(0, 3.7);
  quality[0] = Quality.good;
  bench.at(1000);
  quality.fill(Quality.stale);
  bench.reading.column(CellMetric.voltage_v).fill(3.2);
  bench.at(2000);
  expect(bench.active()).toMatchObject([{ unknown_since_ms: null }]);
  bench.at(17_000);
  expect(bench.active()).toMatchObject([{ unknown_since_ms: 1000, change: 'unknown' }]);
  quality.fill(Quality.good);
  bench.cell(1, 3.7);
  bench.at(18_000);
  expect(bench.active()).toMatchObject([{ unknown_since_ms: null, change: 'known' }]);
});

test('below rules mirror above rules', () => {
  const bench = new AlertBench([lowSoc]);
  for (const [t_ms, soc] of [
    [0, 10],
    [1, 9.9],
    [2, 11.9],
    [3, 12.1],
  ]) {
    bench.value('soc_pct', soc);
    bench.at(t_ms);
  }
  expect(bench.story()).toEqual(['1 raised warning', '3 cleared warning']);
  expect(bench.emitted[0].message).toBe('State of charge 9.9 % is below 10 %');
});

test('a device that reports no single cell is judged by the extremes it reports', () => {
  const bench = new AlertBench([atOnce]);
  bench.reading.columnQuality(CellMetric.voltage_v).fill(Quality.missing);
  bench.reading.values[PackMetric.cell_voltage_max_v] = 3.7;
  bench.at(0);
  expect(bench.emitted).toEqual([]);
  bench.value('cell_voltage_max_v', 3.7);
  bench.at(1);
  expect(bench.emitted).toMatchObject([
    { cell_no: null, value: 3.7, message: 'Cell voltage 3.7 V is above 3.65 V' },
  ]);
});

test('values that cannot be trusted are an alert that says why', () => {
  const rule = makeRule({
    id: 'values_untrusted',
    on: { scope: 'pack', metric: 'untrusted_values' },
    limits: [{ warning: 0, hysteresis: 0, from: 'default' }],
  });
  const bench = new AlertBench([rule]);
  bench.reading.columnQuality(CellMetric.voltage_v)[1] = Quality.suspect;
  const doubts = () => ['cell 2 voltage has not moved since 10:42'];
  bench.reading.t_ms = bench.reading.mono_ms = 1;
  bench.facts(1, { reading: bench.reading, doubts });
  expect(bench.emitted[0].message).toBe(
    '1 value is stale or suspect: cell 2 voltage has not moved since 10:42',
  );
  bench.reading.columnQuality(CellMetric.voltage_v)[1] = Quality.good;
  bench.facts(2, { reading: bench.reading, doubts });
  expect(bench.active()).toEqual([]);
});

test('a state of charge of the device that lies outside the estimate for long is an alert with both figures', () => {
  const rule = makeRule({
    id: 'soc_apart',
    on: { scope: 'pack', metric: 'soc_apart_pct' },
    limits: [{ warning: 8, hysteresis: 3, from: 'default' }],
  });
  const bench = new AlertBench([rule]);
  bench.value('soc_pct', 80);
  bench.value('estimated_soc_pct', 70);
  bench.at(0);
  bench.value('estimated_soc_sd_pct', 3);
  bench.at(1);
  expect(bench.emitted).toEqual([]);
  bench.value('estimated_soc_pct', 41.2);
  bench.at(2);
  expect(bench.emitted).toMatchObject([
    {
      message: 'The device reports a state of charge of 80 %, the gateway estimates 41.2 ± 6 %',
      value: 32.8,
      threshold: 8,
    },
  ]);
  bench.value('estimated_soc_sd_pct', 17);
  bench.at(3);
  expect(bench.active()).toEqual([]);
});

test('a latched alert stays active until it is acknowledged', () => {
  const bench = new AlertBench([makeRule({ latch: true })]);
  bench.cell(0, 3.7);
  bench.at(0);
  bench.cell(0, 3.3);
  bench.at(1);
  expect(bench.active()).toMatchObject([{ latched_since_ms: 1 }]);
  const [{ id }] = bench.open();
  bench.engine.book.acknowledge(id, { by: 'mo', at_ms: 2 }, null, bench.emit);
  expect(bench.open()).toEqual([]);
  expect(bench.emitted.at(-1)).toMatchObject({ state: 'cleared', cleared_ms: 1, is_open: false });
});

test('silence raises with the reason of the driver and clears when the pack speaks', () => {
  const bench = new AlertBench([]);
  const silent_reason = 'unit 3: no reply';
  bench.facts(0, { silent_ms: 14_999 });
  bench.facts(1, { silent_ms: 15_000, silent_reason });
  bench.facts(2, { silent_ms: 17_000, silent_reason });
  bench.facts(3, { silent_ms: 100 });
  expect(bench.story()).toEqual(['1 raised critical', '3 cleared critical']);
  expect(bench.emitted[0].message).toBe('No data: unit 3: no reply');
});

test('a dead connection is one alert, not one for each pack; a pack that stays away afterwards is its own', () => {
  const bench = new AlertBench([], makeTopology(3));
  const moment = (t_ms: number, silent_ms: readonly number[]) => {
    for (const [pack, ms] of silent_ms.entries())
      bench.engine.evaluate(pack, { silent_ms: ms, silent_reason: 'no reply' }, t_ms, t_ms, bench.emit);
    bench.engine.finish(t_ms, t_ms, bench.emit);
  };
  moment(1000, [14_000, 14_500, 13_000]);
  moment(2000, [15_000, 15_500, 14_000]);
  expect(bench.emitted).toEqual([]);
  moment(3000, [16_000, 16_500, 15_000]);
  expect(bench.emitted).toMatchObject([
    { rule_id: 'connection_silent', connection_id: 'c', pack_id: null, battery_id: 'b1' },
  ]);
  expect(bench.emitted[0].message).toBe('No data from any of the 3 packs on connection c: no reply');
  moment(4000, [0, 0, 16_000]);
  expect(bench.emitted.slice(1).map(({ rule_id, pack_id, state }) => [rule_id, pack_id, state])).toEqual([
    ['connection_silent', null, 'cleared'],
    ['pack_silent', 'p3', 'active'],
  ]);
  moment(5000, [16_000, 16_000, 17_000]);
  expect(bench.emitted.slice(3)).toMatchObject([
    { rule_id: 'connection_silent', change: 'recurred' },
    { rule_id: 'pack_silent', change: 'suppressed', suppressed_by: bench.emitted[0].id },
  ]);
});

test('a restart while packs are silent ends and repeats no alert: it is over when one reports', () => {
  for (const packs of [1, 2]) {
    const bench = new AlertBench([], makeTopology(packs));
    const moment = (t_ms: number, silent_ms: number, has_reading = false) => {
      for (let pack = 0; pack < packs; pack++) {
        const seen = has_reading && pack === 0 ? { reading: bench.reading } : {};
        bench.engine.evaluate(pack, { silent_ms, ...seen }, t_ms, t_ms, bench.emit);
      }
      bench.engine.finish(t_ms, t_ms, bench.emit);
    };
    moment(20_000, 20_000);
    const { id } = bench.emitted[0];
    bench.engine.book.acknowledge(id, { by: 'ada', at_ms: 21_000 }, null, bench.emit);
    bench.restart(22_000);
    // Silence counts from the start of the process.
    for (const silent_ms of [0, 2000, 16_000]) moment(22_000 + silent_ms, silent_ms);
    expect(bench.story()).toEqual(['20000 raised critical', '21000 acknowledged critical']);
    moment(40_000, 100, true);
    expect(bench.story().slice(2)).toEqual(['40000 cleared critical']);
  }
});

test('a restart while two devices answer as one ends and repeats no alert: it is over when one alone has reported', () => {
  const bench = new AlertBench([]);
  const moment = (t_ms: number, two_devices?: string) =>
    bench.facts(t_ms, { reading: bench.reading, two_devices });
  moment(1000, 'two devices');
  bench.restart(2000);
  for (let t_ms = 2000; t_ms < 62_000; t_ms += 2000) moment(t_ms);
  moment(62_000, 'two devices');
  moment(64_000);
  expect(bench.story()).toEqual(['1000 raised critical', '64000 cleared critical']);
  moment(66_000, 'two devices');
  bench.restart(68_000);
  for (let t_ms = 68_000; t_ms < 140_000; t_ms += 2000) moment(t_ms);
  expect(bench.story().slice(2)).toEqual(['66000 recurred critical', '128000 cleared critical']);
});

test('what is active of a pack that falls silent is unknown, never cleared', () => {
  const bench = new AlertBench([atOnce]);
  bench.cell(0, 3.7);
  bench.at(1000);
  bench.facts(17_000, { silent_ms: 16_000 });
  expect(bench.active()).toMatchObject([
    { rule_id: 'pack_silent' },
    { rule_id: 'cell_voltage_high', unknown_since_ms: 1000 },
  ]);
});

test('what is no longer configured is unknown until somebody acknowledges that', () => {
  const bench = new AlertBench([atOnce]);
  bench.cell(0, 3.7);
  bench.at(0);
  const { id } = bench.emitted[0];
  bench.restart(5, []);
  expect(bench.open()).toMatchObject([{ id, state: 'active', unknown_since_ms: 5 }]);
  bench.engine.book.acknowledge(id, { by: 'mo', at_ms: 6 }, 'rule removed', bench.emit);
  expect(bench.open()).toEqual([]);
  expect(bench.emitted.at(-1)).toMatchObject({ state: 'out_of_service', is_open: false, cleared_ms: null });
});

const voltages = fc.array(fc.constantFrom(3.3, 3.55, 3.62, 3.66, 3.7, 3.8), { minLength: 1, maxLength: 80 });
const timings = fc.record({
  raise_after_ms: fc.integer({ min: 0, max: 6 }).map(n => n * 500),
  clear_after_ms: fc.integer({ min: 0, max: 6 }).map(n => n * 500),
});

test('no alert comes without its delay, and none chatters within hysteresis and delays', () => {
  fc.assert(
    fc.property(voltages, timings, (steps, timing) => {
      const rule = makeRule({ ...timing, critical_after_ms: timing.raise_after_ms });
      const bench = new AlertBench([rule]);
      for (const [i, voltage_v] of steps.entries()) {
        bench.cell(0, voltage_v);
        bench.at(i * 500);
      }
      for (const { change, changed_ms } of bench.emitted) {
        const span = (after_ms: number) => steps.slice((changed_ms - after_ms) / 500, changed_ms / 500 + 1);
        if (change === 'cleared')
          expect(span(timing.clear_after_ms).every(voltage_v => voltage_v <= 3.6 + 1e-6)).toBe(true);
        else expect(span(timing.raise_after_ms).every(voltage_v => voltage_v > 3.65)).toBe(true);
      }
    }),
    { numRuns: runsOf(300) },
  );
});

test('a restart at any moment changes nothing of what is raised, and when', () => {
  fc.assert(
    fc.property(voltages, timings, fc.nat({ max: 80 }), (steps, timing, restart_at) => {
      const rule = makeRule({ ...timing, critical_after_ms: timing.raise_after_ms });
      const [through, restarted] = [new AlertBench([rule]), new AlertBench([rule])];
      for (const [i, voltage_v] of steps.entries())
        for (const bench of [through, restarted]) {
          bench.cell(0, voltage_v);
          bench.at(i * 500);
          if (bench === restarted && i === restart_at) bench.restart(i * 500);
        }
      expect(restarted.emitted).toEqual(through.emitted);
    }),
    { numRuns: runsOf(300) },
  );
});
