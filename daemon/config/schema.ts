/** The configuration file: one schema for check-config, the daemon and the docs. */
import Type, { type Static } from 'typebox';
import { CHEMISTRIES as MODEL_CHEMISTRIES } from '../../core/estimate/model/cell-model.ts';
import { RangedId } from '../../drivers/connection-fields.ts';
import { ConnectionConfig } from '../../drivers/transports.ts';
import { SimulationConfig } from '../../sim/simulation-config.ts';
import { ChemistryName } from './chemistry-schema.ts';
import { DEFAULTS } from './defaults.ts';
import { NotifyConfig } from './notify-schema.ts';
import { LimitsConfig, RuleConfig } from './rule-schema.ts';

const closed = { additionalProperties: false } as const;
const Id = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$',
    title: 'letters, digits, "_", "." or "-"',
    description,
  });
const Name = (description: string) => Type.Optional(Type.String({ maxLength: 100, description }));
const SHOWN = 'Shown on the page (default: the id)';

/** What estimates of charge and health rest on; of a pack before that of its battery. */
const cellKeys = (scope: string) => ({
  cell_model: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 500,
      description: `Model of the cells${scope}, for estimates of charge and health: a file of \`bms-gateway fit-cell\`, relative to this one; the name of one that comes with the gateway (${MODEL_CHEMISTRIES.join(', ')}); or \`none\`, no estimates (default: that of the chemistry)`,
    }),
  ),
  nominal_ah: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: 100_000,
      description: `Capacity of a cell${scope} when new, in Ah, cells in parallel taken together (default: of a model file its own; else what the device reports as its full capacity)`,
    }),
  ),
});

/** One pack, or with ranges many alike: `id`, `connection` and `address` are expanded side by side. */
export const PackConfig = Type.Object(
  {
    id: RangedId('Name of the pack, unique in the file; `{01..10}` stands for ten packs'),
    name: Name('Shown on the page; `{n}` is the number in a range (default: the id)'),
    connection: RangedId('Id of its connection; a range of the same length gives each pack its own'),
    profile: Type.String({
      minLength: 1,
      description:
        'Device family: one that comes with the gateway, or a file in the folder `profiles` beside this one',
    }),
    address: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 0 }),
          Type.String({ pattern: '^\\d{1,9}\\.\\.\\d{1,9}$', title: 'a range such as 1..10' }),
        ],
        { description: 'Bus address or unit id, or a range such as 1..10 (default: as the profile says)' },
      ),
    ),
    cells: Type.Integer({
      minimum: 0,
      maximum: 4096,
      description: 'Cells in series; 0 where the device does not report single cells',
    }),
    sensors: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 4096,
        description: 'Fitted temperature sensors (default: what the profile carries at most)',
      }),
    ),
    sensor_of_cell: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1 }), {
        description:
          'For each cell the number of the sensor that sits at it (default: unknown, cells then have no temperature of their own)',
      }),
    ),
    ...cellKeys(', where they differ from the battery'),
    options: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        description: 'Options the profile declares, such as a reversed sign (default: as the profile says)',
      }),
    ),
  },
  closed,
);

export const BatteryConfig = Type.Object(
  {
    id: Id('Name of the battery, unique'),
    name: Name(SHOWN),
    chemistry: Type.Optional(
      ChemistryName(
        `Cell chemistry; thresholds depend on it. \`other\` has no voltage thresholds of its own (default: ${DEFAULTS.chemistry})`,
      ),
    ),
    ...cellKeys(''),
    packs: Type.Array(PackConfig, { minItems: 1, description: 'Its packs' }),
  },
  closed,
);

const AlertsConfig = Type.Object(
  {
    silent_after_ms: Type.Optional(
      Type.Integer({
        minimum: 1000,
        maximum: 86_400_000,
        description: `A pack that says nothing this long raises an alert (default: ${DEFAULTS.silent_after_ms}, or five intervals if that is longer)`,
      }),
    ),
    default_rules: Type.Optional(
      Type.Boolean({ default: true, description: 'Whether the default rules hold; see below' }),
    ),
    rules: Type.Optional(
      Type.Array(RuleConfig, {
        description: 'Further rules; one with the id of a default rule takes its place',
      }),
    ),
    limits: Type.Optional(
      Type.Array(LimitsConfig, {
        description: 'Other limits of a rule, default or own, for some packs: the narrowest that fits holds',
      }),
    ),
  },
  { ...closed, description: 'When alerts are raised' },
);

const StorageConfig = Type.Object(
  {
    directory: Type.Optional(
      Type.String({ minLength: 1, description: 'Where readings are kept (default: the state directory)' }),
    ),
    commit_interval_ms: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 60_000,
        default: DEFAULTS.commit_interval_ms,
        description: 'At most this much is lost in a power cut',
      }),
    ),
    retention_days: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 3650,
        default: DEFAULTS.retention_days,
        description: 'Synced readings older than this are removed',
      }),
    ),
    max_size_gb: Type.Optional(
      Type.Number({
        minimum: 0.05,
        maximum: 10_000,
        default: DEFAULTS.max_size_gb,
        description:
          'The database uses at most so many 10⁹ bytes; what is oldest goes before: docs/storage.md',
      }),
    ),
    scrub_days: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 365,
        default: DEFAULTS.scrub_days,
        description: 'All checksums of what is stored are read once in so many days; 0: never',
      }),
    ),
  },
  { ...closed, description: 'The local SQLite store' },
);

const UpstreamConfig = Type.Object(
  {
    database_url: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'PostgreSQL; DATABASE_URL in the environment wins (default: none, no sync)',
      }),
    ),
    batch_rows: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        default: DEFAULTS.batch_rows,
        description: 'Most log rows in one transaction',
      }),
    ),
  },
  { ...closed, description: 'The central database' },
);

const TlsConfig = Type.Object(
  {
    certificate_file: Type.String({
      minLength: 1,
      description: 'PEM, with its chain; relative to the configuration file',
    }),
    key_file: Type.String({ minLength: 1, description: 'PEM; relative to the configuration file' }),
  },
  {
    ...closed,
    description:
      'A certificate of your own (default: on loopback none, plain HTTP; beyond it a self-signed one, made at the first start)',
  },
);

const ServerConfig = Type.Object(
  {
    host: Type.Optional(
      Type.String({
        minLength: 1,
        default: DEFAULTS.host,
        description: 'Address to listen on; BMS_HTTP_HOST wins',
      }),
    ),
    port: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        default: DEFAULTS.port,
        description: '0: any free port; BMS_HTTP_PORT wins',
      }),
    ),
    tls: Type.Optional(TlsConfig),
    insecure_http: Type.Optional(
      Type.Boolean({
        default: DEFAULTS.insecure_http,
        description:
          'Plain HTTP beyond loopback, in place of a self-signed certificate; passwords then cross the network readable',
      }),
    ),
    trusted_proxies: Type.Optional(
      Type.Array(Type.String({ minLength: 1, title: 'an address or a network such as 10.0.0.0/8' }), {
        maxItems: 100,
        description:
          'Addresses or networks (10.0.0.0/8) of reverse proxies, whose X-Forwarded-For, -Proto and -Host are believed; with TLS at the proxy cookies are Secure',
      }),
    ),
    security_contact: Type.Optional(
      Type.String({
        pattern: '^(mailto:|https://|tel:)[!-~]{1,200}$',
        title: 'a URI that begins with mailto:, https:// or tel:',
        description:
          'Where to report a vulnerability of this gateway, published in /.well-known/security.txt; without it there is none',
      }),
    ),
    session_hours: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 720,
        default: DEFAULTS.session_hours,
        description: 'How long a login lasts',
      }),
    ),
  },
  { ...closed, description: 'Dashboard and HTTP API' },
);

export const Config = Type.Object(
  {
    site: Type.Object(
      { id: Id('Name of the site'), name: Name(SHOWN) },
      { ...closed, description: 'Where this is' },
    ),
    gateway_id: Type.Optional(Id('Name of this gateway at the centre, unique there (default: the site id)')),
    interval_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 3_600_000,
        default: DEFAULTS.interval_ms,
        description: 'A reading of every pack per interval; with a simulation, SIMULATION_INTERVAL wins',
      }),
    ),
    connections: Type.Array(ConnectionConfig, { minItems: 1, description: 'Buses and links' }),
    batteries: Type.Array(BatteryConfig, { minItems: 1, description: 'What is connected' }),
    alerts: Type.Optional(AlertsConfig),
    notify: Type.Optional(NotifyConfig),
    storage: Type.Optional(StorageConfig),
    upstream: Type.Optional(UpstreamConfig),
    server: Type.Optional(ServerConfig),
    simulation: Type.Optional(SimulationConfig),
  },
  closed,
);

export type PackConfig = Static<typeof PackConfig>;
export type BatteryConfig = Static<typeof BatteryConfig>;
export type Config = Static<typeof Config>;
