/** Data and cells kept apart: in words, in sums, and in what stands first. */
import { expect, test } from 'vitest';
import type { BatterySummary } from '../../../core/contract/model.ts';
import { cellsText, dataText, partText, placeHref, placeText } from './health.ts';
import { byName, worstFirst } from './rank.ts';
import { sumUp } from './totals.ts';

const none = { critical: 0, warning: 0, info: 0 };
const well: BatterySummary = {
  id: 'a',
  name: 'A',
  state: 'ok',
  reason: null,
  pack_count: 2,
  packs_ok: 2,
  packs_answering: 2,
  packs: [
    { id: 'rack 1', name: 'Rack 1' },
    { id: 'rack 2', name: 'Rack 2' },
  ],
  cell_count: 20,
  power_w: null,
  soc_pct: null,
  estimated_soc_pct: null,
  estimated_soc_sd_pct: null,
  estimated_soh_pct: null,
  cell_voltage_min_v: 3.3,
  cell_voltage_max_v: 3.31,
  cell_voltage_spread_v: 0.005,
  cell_temperature_max_c: 24,
  lowest_cell: { pack_index: 0, cell_no: 1, sensor_no: null },
  highest_cell: { pack_index: 1, cell_no: 2, sensor_no: null },
  widest_spread: { pack_index: 1, cell_no: 2, sensor_no: null },
  hottest_cell: { pack_index: 1, cell_no: null, sensor_no: 2 },
  cell_deviation_v: 0.003,
  cells_out_of_line: 0,
  worst_cell: null,
  t_ms: null,
  alerts: none,
};
const weak: BatterySummary = {
  ...well,
  name: 'weak',
  cells_out_of_line: 1,
  cell_deviation_v: 0.058,
  worst_cell: { pack_index: 1, cell_no: 4, sensor_no: null },
};

test('a battery that answers whole and has a sick cell says both', () => {
  expect(dataText(well)).toBe('2 of 2 packs answer, all values good');
  expect(cellsText(well)).toBe('No cell out of line');
  expect(dataText(weak)).toBe('2 of 2 packs answer, all values good');
  expect(cellsText(weak)).toBe('1 cell out of line: Rack 2, cell 4');
  expect(dataText({ ...weak, reason: '1 of 2 packs offline: Rack 1: no reply' })).toMatch(
    /^1 of 2 packs off/,
  );
});

test('where an extreme is: pack and cell, or its sensor, or the pack alone', () => {
  expect(placeText(well, well.hottest_cell)).toBe('Rack 2, sensor 2');
  expect(placeText(well, { pack_index: 0, cell_no: null, sensor_no: null })).toBe('Rack 1');
  expect(placeText(well, null)).toBe('');
  expect(placeText(well, { pack_index: 7, cell_no: 1, sensor_no: null })).toBe('');
  expect(placeHref(well, weak.worst_cell)).toBe('/pack/rack%202?cell=4');
  expect(placeHref(well, well.hottest_cell)).toBe('/pack/rack%202');
  expect(placeHref(well, null)).toBeUndefined();
  expect(partText(null)).toBe('');
});

test('worst first: alerts, cells out of line, how far, how hot, then data, then names as people count', () => {
  const items = [
    { ...well, name: 'Rack 10' },
    { ...well, name: 'Rack 2', cell_deviation_v: 0.004, cell_temperature_max_c: 24.9 },
    { ...well, name: 'degraded', state: 'degraded' },
    { ...well, name: 'hot', cell_temperature_max_c: 39 },
    { ...well, name: 'apart', cell_deviation_v: 0.025 },
    weak,
    { ...well, name: 'weaker', cells_out_of_line: [4], cell_deviation_v: 0.09 },
    { ...well, name: 'info', alerts: { ...none, info: 1 } },
    { ...well, name: 'warned', alerts: { ...none, warning: 1 } },
    { ...well, name: 'critical', alerts: { ...none, critical: 1 } },
  ] as const;
  expect([...items].sort(worstFirst).map(({ name }) => name)).toEqual([
    'critical',
    'warned',
    'info',
    'weaker',
    'weak',
    'apart',
    'hot',
    'degraded',
    'Rack 2',
    'Rack 10',
  ]);
  expect([...items].sort(byName)[0].name).toBe('apart');
});

test('a pack without any value ranks below one whose cells are apart, and before one that is well', () => {
  const offline = { ...well, name: 'offline', state: 'offline', cell_deviation_v: null } as const;
  expect([well, offline, weak].sort(worstFirst).map(({ name }) => name)).toEqual(['weak', 'offline', 'A']);
});

test('totals: unknown power adds nothing, and is unknown only when all is; the worst cell is of the worst battery', () => {
  expect(sumUp([well]).power_w).toBeNull();
  expect(sumUp([well]).worst).toBeUndefined();
  const ill: BatterySummary = {
    ...weak,
    state: 'degraded',
    packs_ok: 0,
    packs_answering: 1,
    power_w: -500,
    alerts: { critical: 1, warning: 2, info: 0 },
  };
  expect(sumUp([well, weak, ill])).toEqual({
    batteries: 3,
    packs: 6,
    packs_answering: 5,
    packs_doubtful: 1,
    cells: 60,
    cells_out_of_line: 2,
    power_w: -500,
    alerts: { critical: 1, warning: 2, info: 0 },
    worst: ill,
  });
});
