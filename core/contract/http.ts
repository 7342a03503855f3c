/** Bodies and replies of the HTTP API, route by route. Errors are problem documents (RFC 9457). */
import Type, { type Static, type TSchema } from 'typebox';
import { CELL_SERIES, PACK_SERIES } from '../reading/history-series.ts';
import { AlertView, BatterySummary, Nullable, Severity } from './model.ts';
import { Moment } from './moment.ts';
import { DURING, RuleChange, ScopedLimits } from './rules.ts';

const closed = { additionalProperties: false } as const;

const Format = Type.Optional(
  Type.Union([Type.Literal('json'), Type.Literal('csv')], {
    description: 'Default json; `Accept: text/csv` asks for csv too',
  }),
);

/** RFC 9457, section 3.1. `code` is one of core/errors.ts. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  instance: Type.Optional(Type.String()),
});

// GET /api/batteries -> FleetState; GET /api/battery/{id} -> BatteryDetail; GET /api/packs/{id} -> PackDetail (model.ts)

// GET /api/packs/{id}/history
export const HistoryQuery = Type.Object(
  {
    from_ms: Type.Optional(Moment('Default: one hour before to_ms')),
    to_ms: Type.Optional(Moment('Default: now')),
    max_points: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 50_000,
        description:
          'Default 600. Where that means steps of a minute or more, the reply gives mean, lowest and highest of each ' +
          'step; else more readings than that are thinned evenly. Fewer where a pack has many cells.',
      }),
    ),
    cell_no: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096, description: 'Only of this cell' })),
    format: Format,
  },
  closed,
);
/** One of `schema` for each name. */
const each = <N extends string, S extends TSchema>(names: readonly N[], schema: S) =>
  Object.fromEntries(names.map(name => [name, schema])) as Record<N, S>;

const SeriesValues = Type.Array(Nullable(Type.Number()));
const HistorySeries = {
  pack: Type.Object(each(PACK_SERIES, SeriesValues)),
  /** Per cell (index = cell_no - 1, or the one asked for) its series. */
  cells: Type.Object(each(CELL_SERIES, Type.Array(SeriesValues))),
};
export const HistoryReply = Type.Object({
  pack_id: Type.String(),
  cell_no: Type.Optional(Type.Integer()),
  from_ms: Type.Number(),
  to_ms: Type.Number(),
  /** Readings found in the span. */
  reading_count: Type.Integer(),
  /** 0: readings as they are, of any quality. Else the width of a step, of whose good values the series are the means. */
  resolution_ms: Type.Integer(),
  /**
   * When readings were whose time is uncertain: [from_ms, to_ms] of the first and the last of each run of them,
   * ascending, disjoint, at most 100. Nobody vouched for the clock then, and nothing put it right since.
   */
  uncertain: Type.Array(Type.Tuple([Type.Number(), Type.Number()])),
  /** Moments, or where steps begin, ascending; every series has one entry for each, null where missing. */
  t_ms: Type.Array(Type.Number()),
  /**
   * Of readings as they are only: how long before their moment the newest and the oldest of the good values were
   * reported (below zero: after it), and whether the pack had reported nothing since the reading before.
   */
  newest_age_ms: Type.Optional(Type.Array(Nullable(Type.Number()))),
  oldest_age_ms: Type.Optional(Type.Array(Nullable(Type.Number()))),
  is_repeated: Type.Optional(Type.Array(Type.Boolean())),
  ...HistorySeries,
  /** With steps only: the same series, with the least and the highest value of each. */
  lowest: Type.Optional(Type.Object(HistorySeries)),
  highest: Type.Optional(Type.Object(HistorySeries)),
});

const id = Type.String({ minLength: 1, maxLength: 100 });

// GET /api/alerts
export const AlertQuery = Type.Object(
  {
    state: Type.Optional(
      Type.Enum(['open', 'active', 'cleared', 'all'], {
        description: 'Of the condition; open: not yet both ended and acknowledged. Default all',
      }),
    ),
    battery_id: Type.Optional(id),
    pack_id: Type.Optional(id),
    about: Type.Optional(
      Type.Literal('gateway', {
        description: 'Only alerts of the gateway itself, which moderators and administrators see',
      }),
    ),
    severity: Type.Optional(Severity),
    from_ms: Type.Optional(Moment('Raised then or later')),
    to_ms: Type.Optional(Moment('Raised then or before')),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 200, newest first' }),
    ),
    cursor: Type.Optional(
      Type.String({
        pattern: '^\\d{1,15}~.{1,200}$',
        maxLength: 220,
        description: '`next` of the page before; with the same other parameters',
      }),
    ),
    format: Format,
  },
  closed,
);
export const AlertsReply = Type.Object({
  alerts: Type.Array(AlertView),
  next: Nullable(Type.String({ description: 'Cursor of the next page; null on the last one' })),
});

// POST /api/alerts/{id}/acknowledge, /note, /shelve, /unshelve -> AlertView
const Text = (description: string) => Type.String({ minLength: 1, maxLength: 500, description });
export const Acknowledge = Type.Object({ note: Type.Optional(Text('What was found or done')) }, closed);
export const Note = Type.Object({ text: Text('What was found or done') }, closed);
export const Shelve = Type.Object(
  {
    reason: Text('Why nobody is to be called meanwhile'),
    duration_ms: Type.Integer({
      minimum: 60_000,
      maximum: 7 * 86_400_000,
      description: 'It ends by itself then; a week at most',
    }),
  },
  closed,
);

// GET /api/reports/alerts
export const AlertReportQuery = Type.Object(
  {
    from_ms: Type.Optional(Moment('Default: 30 days before to_ms')),
    to_ms: Type.Optional(Moment('Default: now')),
  },
  closed,
);
const subject = {
  rule_id: Type.String(),
  rule_label: Nullable(
    Type.String({ description: 'What people call the rule; null: no rule of this id is known' }),
  ),
  pack_id: Nullable(Type.String({ description: 'Null: it is of no pack' })),
  pack_name: Nullable(Type.String({ description: 'As configured now; the id where it no longer is' })),
};
const Frequent = Type.Object({
  ...subject,
  count: Type.Integer(),
  share_pct: Type.Number({ description: 'Of all alerts in the span' }),
});
export const AlertReport = Type.Object({
  from_ms: Type.Number(),
  to_ms: Type.Number(),
  count: Type.Integer({ description: 'Times that an alert called somebody: raised, or raised again' }),
  by_severity: Type.Object({ critical: Type.Integer(), warning: Type.Integer(), info: Type.Integer() }),
  per_day: Type.Number(),
  per_10_min: Type.Number({ description: 'Mean; one is what a person can answer' }),
  peak_10_min: Type.Integer(),
  peak_ms: Nullable(Type.Number()),
  floods: Type.Integer({
    description: 'Begin with ten alerts in ten minutes, end with a span of fewer than five',
  }),
  flood_pct: Type.Number({ description: 'Share of the time' }),
  chattering: Type.Array(Frequent, { description: 'Three times within a minute' }),
  stale: Type.Array(Type.Object({ ...subject, since_ms: Type.Number() }), {
    description: 'Active for more than a day at the end of the span',
  }),
  most_frequent: Type.Array(Frequent, { description: 'The ten most frequent' }),
  acknowledged: Type.Integer(),
  to_acknowledge_median_ms: Nullable(Type.Number()),
  to_acknowledge_p90_ms: Nullable(Type.Number()),
});

// GET /api/reports/fleet
export const FleetReport = Type.Object({
  t_ms: Type.Number(),
  batteries: Type.Array(BatterySummary),
  totals: Type.Object({
    batteries: Type.Integer(),
    packs: Type.Integer(),
    packs_ok: Type.Integer(),
    cells: Type.Integer(),
    alerts_active: Type.Integer(),
    power_w: Nullable(Type.Number()),
  }),
});

// PUT /api/admin/settings: rules that are not named stay as they are; null: as the configuration says
export const Settings = Type.Object(
  {
    rules: Type.Record(Type.String(), Nullable(RuleChange), {
      description:
        'By id of the rule; limits hold over those that the configuration gives for the same packs',
    }),
    note: Type.Optional(Type.String({ maxLength: 500, description: 'Why, for who looks later' })),
  },
  closed,
);

const ScopedLimitsView = Type.Intersect([
  ScopedLimits,
  Type.Object({ from: Type.String({ description: 'default, configuration or settings, version N' }) }),
]);

/** A rule with what it judges. */
export const RuleView = Type.Object({
  label: Type.String(),
  scope: Type.Union([Type.Literal('cell'), Type.Literal('pack')]),
  metric: Type.String(),
  metric_label: Type.String({ description: 'The quantity in words: "cell voltage"' }),
  unit: Type.String({ description: 'Of the limits; empty where the quantity has none' }),
  direction: Type.Union([Type.Literal('above'), Type.Literal('below')]),
  during: Nullable(Type.Enum([...DURING], { description: 'Judged at these times alone; null: always' })),
  limits: Type.Array(ScopedLimitsView, {
    description:
      'For a pack the narrowest that fits holds: pack, battery, profile, chemistry, all; the later of two alike',
  }),
  raise_after_ms: Type.Integer(),
  critical_after_ms: Type.Integer(),
  clear_after_ms: Type.Integer(),
  inhibit_ms: Type.Integer(),
  latch: Type.Boolean(),
  why: Nullable(Type.String()),
  next_check: Nullable(Type.String()),
  is_changed: Type.Boolean({ description: 'Other than the configuration says' }),
});

// GET /api/admin/settings, and the reply to PUT: every rule by its id, in configuration order
export const SettingsReply = Type.Object({
  version: Type.Integer({ description: 'Of what was changed over the API; 0: nothing was' }),
  changed: Nullable(Type.Object({ at_ms: Type.Number(), by: Type.String(), note: Nullable(Type.String()) })),
  rules: Type.Record(Type.String(), RuleView),
  removed: Type.Array(Type.String(), {
    description: 'Ids of rules of the configuration that an import has left out; null in PUT brings one back',
  }),
});

// GET /api/system/status
export const ComponentStatus = Type.Object({
  name: Type.String({ description: 'store, upstream, connection:<id>, sampler, …' }),
  state: Type.Union([
    Type.Literal('ok'),
    Type.Literal('degraded'),
    Type.Literal('down'),
    Type.Literal('off'),
  ]),
  /** What is wrong, in one line; null while ok. */
  reason: Nullable(Type.String()),
  code: Type.Optional(Type.String({ description: 'Of the error behind the reason, where there is one' })),
  counters: Type.Record(Type.String(), Type.Number()),
});
/** Of the gateway's TLS, so that people can compare the fingerprint with what their browser shows. */
export const CertificateView = Type.Object({
  fingerprint_sha256: Type.String({ description: 'Upper-case hexadecimal bytes with colons' }),
  self_signed: Type.Boolean(),
  names: Type.Array(Type.String({ description: 'Host name or address it is valid for' })),
  valid_from_ms: Type.Number(),
  valid_until_ms: Type.Number(),
});
export const SystemStatus = Type.Object({
  version: Type.String(),
  gateway_id: Type.String(),
  t_ms: Type.Number(),
  uptime_s: Type.Number(),
  state: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('down')]),
  components: Type.Array(ComponentStatus),
  /** Null: plain HTTP. */
  certificate: Type.Optional(Nullable(CertificateView)),
});

// POST /api/system/clock/confirm -> ComponentStatus of the clock
export const ClockConfirmBody = Type.Object(
  {
    client_clock_ms: Moment('What the clock of the one who confirms shows, as that of the browser'),
  },
  closed,
);

// GET /healthz: whether it works, nothing else
export const HealthReply = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('not_ok')]),
});

// GET|POST /api/admin/simulation/faults, DELETE /api/admin/simulation/faults/{id}: only while the simulator runs
export const FaultsReply = Type.Object({
  faults: Type.Array(Type.Object({}, { additionalProperties: true })),
});
export const FaultReply = Type.Object({ id: Type.String() });

export type Problem = Static<typeof Problem>;
export type HistoryQuery = Static<typeof HistoryQuery>;
export type HistoryReply = Static<typeof HistoryReply>;
export type Acknowledge = Static<typeof Acknowledge>;
export type Note = Static<typeof Note>;
export type Shelve = Static<typeof Shelve>;
export type AlertReport = Static<typeof AlertReport>;
export type AlertQuery = Static<typeof AlertQuery>;
export type AlertsReply = Static<typeof AlertsReply>;
export type FleetReport = Static<typeof FleetReport>;
export type HealthReply = Static<typeof HealthReply>;
export type FaultsReply = Static<typeof FaultsReply>;
export type FaultReply = Static<typeof FaultReply>;
export type Settings = Static<typeof Settings>;
export type RuleView = Static<typeof RuleView>;
export type SettingsReply = Static<typeof SettingsReply>;
export type ClockConfirmBody = Static<typeof ClockConfirmBody>;
export type ComponentStatus = Static<typeof ComponentStatus>;
export type CertificateView = Static<typeof CertificateView>;
export type SystemStatus = Static<typeof SystemStatus>;
