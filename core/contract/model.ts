/**
 * The shapes that HTTP, WebSocket and the page share. JSON names are the domain's names, with units.
 * Columns are parallel arrays over the cells: values rounded to the metric's resolution, null where missing,
 * and a string with one quality letter per cell (m missing, g good, s stale, u suspect).
 */

import Type, { type Static } from 'typebox';
import { LIFECYCLE_STATES } from '../alerts/lifecycle.ts';
import { NOTIFIED_EVENTS } from '../alerts/notified.ts';
import { CELL_METRICS, PACK_METRICS } from '../metrics.ts';
import { PROFILE_GRADES } from '../topology/profile-grade.ts';
import { EstimateBasis } from './estimates.ts';

export const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const QualityLabel = Type.Union([
  Type.Literal('missing'),
  Type.Literal('good'),
  Type.Literal('stale'),
  Type.Literal('suspect'),
]);
/** Of the data. ok: everything answers. degraded: something is stale, suspect or missing. offline: nothing fresh. */
export const HealthState = Type.Union([
  Type.Literal('ok'),
  Type.Literal('degraded'),
  Type.Literal('offline'),
]);

export const QualifiedValue = Type.Object({ value: Nullable(Type.Number()), quality: QualityLabel });

export const CellColumn = Type.Object({
  values: Type.Array(Nullable(Type.Number())),
  quality: Type.String({ description: 'One letter per cell: m missing, g good, s stale, u suspect' }),
});

export const AlertCounts = Type.Object({
  critical: Type.Integer(),
  warning: Type.Integer(),
  info: Type.Integer(),
});

/** What lists and heat maps need of a pack. Extremes are over cells of good quality. */
export const PackSummary = Type.Object({
  id: Type.String(),
  name: Type.String(),
  battery_id: Type.String(),
  state: HealthState,
  /** Why it is not ok, in one line; null while ok. */
  reason: Nullable(Type.String()),
  t_ms: Nullable(Type.Number({ description: 'Wall time of the newest value; null while it never spoke' })),
  voltage_v: QualifiedValue,
  current_a: QualifiedValue,
  soc_pct: QualifiedValue,
  soh_pct: QualifiedValue,
  /** The gateway's own, beside those of the device. */
  estimated_soc_pct: QualifiedValue,
  estimated_soc_sd_pct: QualifiedValue,
  estimated_soh_pct: QualifiedValue,
  estimated_soh_sd_pct: QualifiedValue,
  no_estimate_reason: Nullable(
    Type.String({ description: 'Why nothing is estimated of the pack; null: something is' }),
  ),
  cell_voltage_min_v: Nullable(Type.Number()),
  cell_voltage_max_v: Nullable(Type.Number()),
  cell_voltage_spread_v: Nullable(Type.Number()),
  cell_temperature_min_c: Nullable(Type.Number()),
  cell_temperature_max_c: Nullable(Type.Number()),
  lowest_cell_no: Nullable(Type.Integer({ description: 'By voltage; null: no single cell is known' })),
  highest_cell_no: Nullable(Type.Integer()),
  hottest_cell_no: Nullable(Type.Integer()),
  hottest_sensor_no: Nullable(
    Type.Integer({
      description: 'Set where cells have no temperature of their own, and the pack’s sensors do',
    }),
  ),
  cell_deviation_v: Nullable(
    Type.Number({ description: 'How far the furthest cell is from the median of the pack, without a sign' }),
  ),
  deviating_cell_no: Nullable(Type.Integer()),
  cells_out_of_line: Type.Array(Type.Integer(), {
    description:
      'Numbers of cells with an active alert, found weak, or apart from their siblings right now; the worst first',
  }),
  cells: Type.Object({ voltage_v: CellColumn, temperature_c: CellColumn }),
  alerts: AlertCounts,
});

/** Where an extreme was found. By numbers alone, which cost the live feed next to nothing while they change. */
export const CellPlace = Type.Object({
  pack_index: Type.Integer({ description: 'Into `packs` of the battery, from 0' }),
  cell_no: Nullable(Type.Integer({ description: 'Null: no single cell is known' })),
  sensor_no: Nullable(Type.Integer({ description: 'Of the pack, where it was no cell' })),
});

export const BatterySummary = Type.Object({
  id: Type.String(),
  name: Type.String(),
  state: HealthState,
  /** Which packs are not ok, and why the first of them is not, in one line; null while ok. */
  reason: Nullable(Type.String()),
  pack_count: Type.Integer(),
  packs_ok: Type.Integer({ description: 'With good data' }),
  packs_answering: Type.Integer(),
  packs: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })),
  cell_count: Type.Integer(),
  power_w: Nullable(Type.Number({ description: 'Sum over packs, positive while charging' })),
  soc_pct: Nullable(Type.Number({ description: 'Mean over packs with a good value' })),
  estimated_soc_pct: Nullable(
    Type.Number({ description: "The gateway's own, mean over packs; null where it has none of a pack" }),
  ),
  estimated_soc_sd_pct: Nullable(Type.Number()),
  estimated_soh_pct: Nullable(Type.Number({ description: 'Of the weakest pack of those that are known' })),
  cell_voltage_min_v: Nullable(Type.Number()),
  cell_voltage_max_v: Nullable(Type.Number()),
  cell_voltage_spread_v: Nullable(
    Type.Number({
      description:
        'Of the pack with the largest: packs of a battery differ in charge, which is no spread of cells',
    }),
  ),
  cell_temperature_max_c: Nullable(Type.Number()),
  lowest_cell: Nullable(CellPlace),
  highest_cell: Nullable(CellPlace),
  widest_spread: Nullable(CellPlace),
  hottest_cell: Nullable(CellPlace),
  cell_deviation_v: Nullable(
    Type.Number({ description: 'How far the furthest cell is from the median of its pack, without a sign' }),
  ),
  cells_out_of_line: Type.Integer({ description: 'In all its packs' }),
  worst_cell: Nullable(CellPlace),
  t_ms: Nullable(Type.Number()),
  alerts: AlertCounts,
});

export const BatteryDetail = Type.Object({ battery: BatterySummary, packs: Type.Array(PackSummary) });
export const FleetState = Type.Object({
  site: Type.Object({ id: Type.String(), name: Type.String() }),
  batteries: Type.Array(BatterySummary),
});

export const DeviceAlarmState = Type.Object({
  code: Type.String(),
  label: Type.String(),
  level: Type.Union([
    Type.Literal('none'),
    Type.Literal('warning'),
    Type.Literal('alarm'),
    Type.Literal('unknown'),
  ]),
});

/** Every pack metric, each with its quality. */
export const PackValues = Type.Object(
  Object.fromEntries(PACK_METRICS.map(metric => [metric.name, QualifiedValue])) as Record<
    (typeof PACK_METRICS)[number]['name'],
    typeof QualifiedValue
  >,
);

/** Every cell metric. */
export const CellColumns = Type.Object(
  Object.fromEntries(CELL_METRICS.map(metric => [metric.name, CellColumn])) as Record<
    (typeof CELL_METRICS)[number]['name'],
    typeof CellColumn
  >,
);

export const PackDetail = Type.Object({
  id: Type.String(),
  name: Type.String(),
  battery_id: Type.String(),
  battery_name: Type.String(),
  profile: Type.Object({
    id: Type.String(),
    title: Type.String(),
    grade: Nullable(
      Type.Enum([...PROFILE_GRADES], { description: 'What bears the profile out; null: nothing is said' }),
    ),
  }),
  connection: Type.Object({ id: Type.String(), address: Nullable(Type.Integer()) }),
  cell_count: Type.Integer(),
  estimate: EstimateBasis,
  summary: PackSummary,
  values: PackValues,
  cells: CellColumns,
  cell_updated_ms: Type.Array(
    Nullable(
      Type.Number({ description: "Wall time at which a cell's voltage was last updated; null: never" }),
    ),
  ),
  oldest_good_ms: Nullable(
    Type.Number({
      description: 'Wall time at which the oldest good value was reported; null: nothing is good',
    }),
  ),
  sensors: CellColumn,
  device_alarms: Type.Array(DeviceAlarmState),
});

export const Severity = Type.Union([Type.Literal('critical'), Type.Literal('warning'), Type.Literal('info')]);
const who = { by: Type.String(), at_ms: Type.Number() };
export const AlertView = Type.Object({
  id: Type.String(),
  rule_id: Type.String(),
  severity: Severity,
  battery_id: Nullable(Type.String({ description: 'Null, as the next three are: of the gateway itself' })),
  /** As configured now; the id where the battery or pack is no longer configured. */
  battery_name: Nullable(Type.String()),
  pack_id: Nullable(Type.String()),
  pack_name: Nullable(Type.String()),
  connection_id: Nullable(Type.String({ description: 'Set, where all packs of a connection are silent' })),
  cell_no: Nullable(Type.Integer()),
  message: Type.String(),
  value: Nullable(Type.Number()),
  threshold: Nullable(Type.Number()),
  unit: Type.String(),
  state: Type.Enum(['active', 'cleared', 'out_of_service'], {
    description: 'Of the condition; out_of_service: its rule or pack is no longer configured',
  }),
  lifecycle: Type.Enum([...LIFECYCLE_STATES], { description: 'In the words of ISA-18.2' }),
  raised_ms: Type.Number(),
  cleared_ms: Nullable(Type.Number({ description: 'When the condition ended last; null while it holds' })),
  is_open: Type.Boolean({ description: 'Not yet both ended and acknowledged' }),
  occurrences: Type.Integer({ description: 'How many times the condition began since raised_ms' }),
  occurred_ms: Type.Number({ description: 'When it began last' }),
  earlier_occurrences: Type.Integer({ description: 'Of the same rule and subject, before this alert' }),
  earlier_ms: Nullable(Type.Number({ description: 'When the last of these began' })),
  acknowledged: Nullable(Type.Object({ ...who, note: Nullable(Type.String()) })),
  shelved: Nullable(Type.Object({ ...who, until_ms: Type.Number(), reason: Type.String() })),
  out_of_service: Nullable(
    Type.Object(
      { ...who, until_ms: Nullable(Type.Number()), reason: Type.String() },
      {
        description:
          'Its rule or pack was taken out of service by a person; until_ms null: until one puts it back',
      },
    ),
  ),
  unknown_since_ms: Nullable(
    Type.Number({ description: 'Since when nobody can say whether the condition holds' }),
  ),
  latched_since_ms: Nullable(
    Type.Number({
      description: 'When the condition ended of one that stays active until it is acknowledged',
    }),
  ),
  suppressed_by: Nullable(Type.String({ description: 'Id of the alert that says the cause' })),
  notes: Type.Array(Type.Object({ ...who, text: Type.String() })),
  change: Type.String({
    description: 'The newest change: raised, recurred, updated, cleared, acknowledged, …',
  }),
  changed_ms: Type.Number(),
  changed_by: Nullable(Type.String({ description: 'Null: the gateway itself' })),
  page_path: Nullable(
    Type.String({
      description: 'Where the page shows the history of the pack at that moment; null: it is of no pack',
    }),
  ),
  next_check: Nullable(Type.String({ description: 'What a technician checks first' })),
  notified: Type.Array(
    Type.Object({ receiver: Type.String(), event: Type.Enum([...NOTIFIED_EVENTS]), at_ms: Type.Number() }),
    { description: 'Who was notified, the oldest first; for moderators and administrators' },
  ),
});

export type HealthState = Static<typeof HealthState>;
export type QualifiedValue = Static<typeof QualifiedValue>;
export type CellColumn = Static<typeof CellColumn>;
export type AlertCounts = Static<typeof AlertCounts>;
export type CellPlace = Static<typeof CellPlace>;
export type PackSummary = Static<typeof PackSummary>;
export type BatterySummary = Static<typeof BatterySummary>;
export type BatteryDetail = Static<typeof BatteryDetail>;
export type FleetState = Static<typeof FleetState>;
export type DeviceAlarmState = Static<typeof DeviceAlarmState>;
export type PackDetail = Static<typeof PackDetail>;
export type AlertView = Static<typeof AlertView>;
