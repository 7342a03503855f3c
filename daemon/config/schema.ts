/** The configuration file: one schema for check-config, the daemon and the docs. */
import Type, { type Static } from 'typebox';
import { CELL_METRICS, PACK_METRICS } from '../../core/metrics.ts';
import { ConnectionConfig } from '../../drivers/connections.ts';
import { SimulationConfig } from '../../sim/simulation-config.ts';

const closed = { additionalProperties: false } as const;
const Id = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' });
/** An id, or a range in braces that stands for many: `rack-1-{01..10}`. */
const RangedId = Type.String({
  pattern: '^[A-Za-z0-9_.{-][A-Za-z0-9_.{}-]{0,80}$',
  description: 'An id; `{01..10}` stands for ten of them',
});

/** One pack, or with ranges many alike: `id`, `connection` and `address` are expanded side by side. */
export const PackConfig = Type.Object(
  {
    id: RangedId,
    name: Type.Optional(
      Type.String({
        maxLength: 100,
        description: 'Shown on the page; `{n}` is the number in a range (default: the id)',
      }),
    ),
    connection: RangedId,
    profile: Type.String({ minLength: 1 }),
    address: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^\\d+\\.\\.\\d+$' })], {
        description: 'Bus address or unit id: a number, or a range such as 1..10',
      }),
    ),
    cells: Type.Integer({ minimum: 1, maximum: 4096, description: 'Cells in series' }),
    sensors: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 4096,
        description: 'Fitted temperature sensors (default: what the profile carries at most)',
      }),
    ),
    sensor_of_cell: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1 }), {
        description: 'For each cell the number of the sensor that sits at it',
      }),
    ),
    options: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
    ),
  },
  closed,
);

export const BatteryConfig = Type.Object(
  {
    id: Id,
    name: Type.Optional(Type.String({ maxLength: 100 })),
    packs: Type.Array(PackConfig, { minItems: 1 }),
  },
  closed,
);

const names = (list: readonly { name: string }[]) => list.map(metric => metric.name);

export const RuleConfig = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
    label: Type.String({ minLength: 1, maxLength: 100 }),
    severity: Type.Enum(['critical', 'warning', 'info']),
    cell: Type.Optional(Type.Enum(names(CELL_METRICS), { description: 'A quantity of each cell' })),
    pack: Type.Optional(
      Type.Enum([...names(PACK_METRICS), 'cell_voltage_spread_v'], { description: 'A quantity of the pack' }),
    ),
    above: Type.Optional(Type.Number()),
    below: Type.Optional(Type.Number()),
    clear_at: Type.Number({
      description: 'Cleared again beyond this value, on the safe side of the threshold',
    }),
    delay_ms: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 86_400_000, description: 'Must last this long first (default 0)' }),
    ),
  },
  closed,
);

export const Config = Type.Object(
  {
    site: Type.Object({ id: Id, name: Type.Optional(Type.String({ maxLength: 100 })) }, closed),
    gateway_id: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$',
        description: 'Name of this gateway at the centre, unique there (default: the site id)',
      }),
    ),
    interval_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 3_600_000,
        description: 'A reading of every pack per interval (default 2000)',
      }),
    ),
    connections: Type.Array(ConnectionConfig, { minItems: 1 }),
    batteries: Type.Array(BatteryConfig, { minItems: 1 }),
    alerts: Type.Optional(
      Type.Object(
        {
          silent_after_ms: Type.Optional(
            Type.Integer({
              minimum: 1000,
              maximum: 3_600_000,
              description: 'A pack that says nothing this long raises an alert (default 15000)',
            }),
          ),
          rules: Type.Optional(
            Type.Array(RuleConfig, { description: 'Thresholds (default: see docs/configuration.md)' }),
          ),
        },
        closed,
      ),
    ),
    storage: Type.Optional(
      Type.Object(
        {
          directory: Type.Optional(
            Type.String({ minLength: 1, description: 'Default: the state directory' }),
          ),
          commit_interval_ms: Type.Optional(
            Type.Integer({
              minimum: 10,
              maximum: 60_000,
              description: 'At most this much is lost in a power cut (default 1000)',
            }),
          ),
          retention_days: Type.Optional(
            Type.Number({
              exclusiveMinimum: 0,
              maximum: 3650,
              description: 'Synced readings older than this are removed (default 30)',
            }),
          ),
        },
        closed,
      ),
    ),
    upstream: Type.Optional(
      Type.Object(
        {
          database_url: Type.Optional(
            Type.String({
              minLength: 1,
              description: 'PostgreSQL; DATABASE_URL in the environment wins. None: no sync',
            }),
          ),
          batch_rows: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 100_000,
              description: 'Most log rows in one transaction (default 5000)',
            }),
          ),
        },
        closed,
      ),
    ),
    server: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(
            Type.String({ minLength: 1, description: 'Default 127.0.0.1; BMS_HTTP_HOST wins' }),
          ),
          port: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 65_535,
              description: 'Default 8080; 0: any free port; BMS_HTTP_PORT wins',
            }),
          ),
          tls: Type.Optional(
            Type.Object(
              { certificate_file: Type.String({ minLength: 1 }), key_file: Type.String({ minLength: 1 }) },
              closed,
            ),
          ),
          insecure_http: Type.Optional(
            Type.Boolean({
              description:
                'Allow plain HTTP beyond loopback; passwords then cross the network readable (default false)',
            }),
          ),
          session_hours: Type.Optional(
            Type.Number({
              exclusiveMinimum: 0,
              maximum: 720,
              description: 'How long a login lasts (default 12)',
            }),
          ),
        },
        closed,
      ),
    ),
    simulation: Type.Optional(SimulationConfig),
  },
  closed,
);

export type PackConfig = Static<typeof PackConfig>;
export type BatteryConfig = Static<typeof BatteryConfig>;
export type RuleConfig = Static<typeof RuleConfig>;
export type Config = Static<typeof Config>;
