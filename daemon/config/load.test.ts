/** The configuration: ranges, every check with its line and words, defaults. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { formatProblem } from '../../core/schema/problem.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';
import { ConfigError } from './config-error.ts';
import { DEFAULT_RULES } from './default-rules.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { type GatewayConfig, loadConfig } from './load.ts';
import { quietEnvironment, testProfiles } from './testing/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'config.yaml');

function load(text: string, environment: Environment = quietEnvironment): GatewayConfig {
  writeFileSync(file, text);
  return loadConfig(file, environment, testProfiles);
}

/** One line per problem, without the folder. */
function problemsOf(text: string): string[] {
  try {
    load(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(problem => formatProblem(problem).replaceAll(`${folder}/`, ''));
  }
}

const CONNECTIONS = `
  - { id: bus, type: socketcan, interface: can0 }
  - { id: 'solo-{1..3}', type: socketcan, interface: 'can{1..3}' }
  - { id: link, type: modbus-tcp, host: 10.0.0.7 }`;

/** A file of one pack, whose keys are given; line 8 is the pack's. */
function withPack(pack: string, rest = ''): string {
  return `site: { id: home }
connections:${CONNECTIONS}
batteries:
  - id: b1
    packs:
      - { ${pack} }
  - id: b2
    packs: [{ id: other, connection: solo-3, profile: solo-can, cells: 1 }]
${rest}`;
}

const GOOD = 'id: p1, connection: bus, profile: acme-can, cells: 16';

test('everything a consumer needs is filled in', () => {
  const { config, topology, connections, file: path } = load(withPack(GOOD));
  expect(path).toBe(file);
  expect(config).toEqual({
    interval_ms: 2000,
    alerts: { silent_after_ms: 15_000, rules: DEFAULT_RULES },
    // notify.test.ts says what of it.
    notify: expect.objectContaining({ receivers: [], routes: [] }),
    storage: {
      directory: '/state',
      commit_interval_ms: 1000,
      retention_days: 30,
      scrub_days: 7,
      max_bytes: 4e9,
    },
    upstream: { database_url: undefined, batch_rows: 20_000 },
    server: {
      host: '127.0.0.1',
      port: 8080,
      tls: undefined,
      insecure_http: false,
      trusted_proxies: [],
      security_contact: undefined,
      session_hours: 12,
    },
    simulation: undefined,
  });
  expect(topology).toMatchObject({ site: { id: 'home', name: 'home' }, gateway_id: 'home' });
  expect(topology.batteries).toMatchObject([
    { battery: 0, id: 'b1', name: 'b1', chemistry: 'lfp', packs: [0] },
    { battery: 1, id: 'b2', packs: [1] },
  ]);
  expect(connections.map(({ connection }) => connection.id)).toEqual(['bus', 'solo-3']);
  expect(connections[0].bindings[0]).toMatchObject({
    pack: 0,
    pack_id: 'p1',
    address: 0,
    shape: { cell_count: 16, sensor_count: 5, device_alarms: ['cell_over_voltage'] },
    options: { sign: 1, firmware: 'v2' },
    sensor_of_cell: undefined,
  });
});

test('ranges are expanded side by side', () => {
  const { topology, connections } = load(
    `site: { id: home }
connections:
  - { id: bus, type: socketcan, interface: can0 }
  - { id: 'solo-{08..10}', type: socketcan, interface: 'can{2..4}', silence_ms: 500 }
batteries:
  - id: b1
    packs:
      - { id: 'a-{01..12}', name: 'Pack {n}', connection: bus, profile: acme-can, address: 0..11, cells: 4,
          sensors: 2, sensor_of_cell: [1, 1, 2, 2], options: { sign: -1 } }
      - { id: 'x{1..3}', connection: 'solo-{08..10}', profile: solo-can, cells: 4 }
`,
  );
  expect(topology.packs).toHaveLength(15);
  expect(topology.packs.every((node, i) => node.pack === i)).toBe(true);
  expect(topology.packs[11]).toMatchObject({ id: 'a-12', name: 'Pack 12', address: 11 });
  expect(topology.packs[14]).toMatchObject({ id: 'x3', connection_id: 'solo-10', address: undefined });
  expect(connections.map(({ connection }) => connection).at(-1)).toEqual({
    id: 'solo-10',
    type: 'socketcan',
    interface: 'can4',
    silence_ms: 500,
  });
  expect(connections[0].bindings[3]).toMatchObject({
    sensor_of_cell: [0, 0, 1, 1],
    options: { sign: -1, firmware: 'v2' },
    shape: { sensor_count: 2 },
  });
});

const PACK_PROBLEMS: readonly [string, string][] = [
  [
    'id: p1, connection: bus, profile: acme-cam, cells: 4',
    'profile: found unknown profile "acme-cam", expected one of acme-can, solo-can, acme-modbus; did you mean "acme-can"?',
  ],
  [
    'id: p1, connection: buss, profile: acme-can, cells: 4',
    'connection: found unknown connection "buss", expected one of bus, solo-1, solo-2, solo-3, link; did you mean "bus"?',
  ],
  [
    'id: p1, connection: link, profile: acme-can, cells: 4',
    'profile: found profile acme-can for can on connection link of type modbus-tcp, expected a profile for modbus',
  ],
  [
    'id: p1, connection: bus, profile: acme-can, cells: 25',
    'cells: found 25, expected at most 24, the cells profile acme-can can report',
  ],
  [
    'id: p1, connection: bus, profile: acme-can, cells: 4, sensors: 6',
    'sensors: found 6, expected at most 5, the sensors profile acme-can can report',
  ],
  [
    'id: p1, connection: bus, profile: acme-can, cells: 4, address: 12',
    'address: found 12, expected 0 to 11, as profile acme-can allows',
  ],
  [
    'id: p1, connection: solo-1, profile: solo-can, cells: 4, address: 1',
    'address: found 1, expected none, profile solo-can has one device per bus',
  ],
  [
    'id: p1, connection: bus, profile: acme-can, cells: 3, sensor_of_cell: [1, 2]',
    'sensor_of_cell: found a list of 2, expected 3 numbers, one for each cell',
  ],
  [
    'id: p1, connection: bus, profile: acme-can, cells: 2, sensors: 1, sensor_of_cell: [1, 2]',
    'sensor_of_cell[1]: found 2, expected a sensor from 1 to 1',
  ],
  [
    'id: p1, connection: bus, profile: acme-can, cells: 2, options: { sing: 1 }',
    'options.sing: found unknown option "sing", expected one of sign, firmware; did you mean "sign"?',
  ],
  [
    'id: p1, connection: bus, profile: acme-can, cells: 2, options: { sign: 2 }',
    'options.sign: found 2, expected one of 1, -1',
  ],
  [
    'id: p1, connection: solo-1, profile: solo-can, cells: 2, options: { a: 2 }',
    'options.a: found unknown option "a", expected none, profile solo-can has no options',
  ],
  [
    "id: 'p{1..3}', connection: bus, profile: acme-can, cells: 2, address: 1..2",
    'address: found a range of 2, expected a range of 3, as in id',
  ],
  [
    "id: 'p{1..3}', connection: 'solo-{1..2}', profile: solo-can, cells: 2",
    'connection: found a range of 2, expected a range of 3, as in id',
  ],
  [
    'id: p1, connection: bus, profile: acme-can, cells: 2, address: 1..2',
    'address: found a range of 2, expected a range only where the id has one',
  ],
  [
    "id: 'p{3..1}', connection: bus, profile: acme-can, cells: 2",
    'id: found a range that runs backwards, expected one range such as {01..10}',
  ],
  [
    "id: 'p{1..2}', connection: bus, profile: acme-can, cells: 2, address: 3",
    'address: found address 3 on connection bus, which pack p1 has, expected an address of its own',
  ],
  [
    "id: 'p{1..2}', connection: bus, profile: acme-can, cells: 2",
    "address: found address 0 (the profile's default) on connection bus, which pack p1 has, expected an address of its own",
  ],
];

test.each(PACK_PROBLEMS)('{ %s } says why', (pack, expected) => {
  const [first, ...more] = problemsOf(withPack(pack));
  expect(more).toEqual([]);
  expect(first).toMatch(/^config\.yaml:9:\d+ batteries\[0\]\.packs\[0\]\./);
  expect(first.replace(/^\S+ batteries\[0\]\.packs\[0\]\./, '')).toBe(expected);
});

test('what clashes with another pack is reported where the later one stands', () => {
  expect(problemsOf(withPack('id: p1, connection: solo-3, profile: solo-can, cells: 4'))).toEqual([
    'config.yaml:11:38 batteries[1].packs[0].connection: found packs p1 and other both on connection solo-3, expected one pack, profile solo-can has one device per bus',
  ]);
  expect(problemsOf(withPack('id: other, connection: bus, profile: acme-can, cells: 4'))).toEqual([
    'config.yaml:11:19 batteries[1].packs[0].id: found pack "other" again, expected an id of its own in the whole file',
  ]);
});

test('two device families may share a CAN bus', () => {
  const text = withPack(GOOD).replace('solo-3, profile', 'bus, profile');
  expect(load(text).connections.map(({ bindings }) => bindings.length)).toEqual([2]);
});

test('packs that are parts of one unit share its address', () => {
  const link = 'connection: link, profile: acme-modbus, cells: 2, address: 7';
  const strings = (first: number, second: number) =>
    withPack(`id: p1, ${link}, options: { string: ${first} }`).replace(
      'connection: solo-3, profile: solo-can, cells: 1',
      `${link}, options: { string: ${second} }`,
    );
  expect(load(strings(1, 2)).connections[0].bindings.map(({ address }) => address)).toEqual([7, 7]);
  expect(problemsOf(strings(1, 1))).toEqual([
    expect.stringContaining('found address 7 on connection link, which pack p1 has'),
  ]);
});

test('connections and batteries say why', () => {
  const text = `site: { id: home }
connections:
  - { id: bus, type: socketcan, interface: can0 }
  - { id: bus, type: candump, file: missing.log }
  - { id: 'v{1..2}', type: socketcan, interface: 'can{1..3}' }
  - { id: one, type: socketcan, interface: 'can{1..3}' }
  - { id: replay, type: candump, file: missing.log }
batteries:
  - { id: b, packs: [{ id: p1, connection: bus, profile: acme-can, cells: 1 }] }
  - { id: b, packs: [{ id: p2, connection: bus, profile: acme-can, cells: 1, address: 1 }] }
`;
  expect(problemsOf(text)).toEqual([
    'config.yaml:4:11 connections[1].id: found connection "bus" again, expected an id of its own',
    'config.yaml:5:50 connections[2].interface: found a range of 3, expected a range of 2, as in id',
    'config.yaml:6:44 connections[3].interface: found a range of 3, expected a range only where the id has one',
    `config.yaml:7:40 connections[4].file: found no file missing.log, expected a log written by candump -l`,
    'config.yaml:10:11 batteries[1].id: found battery "b" again, expected an id of its own',
  ]);
});

test('two connections to one bus or device are refused', () => {
  const text = `site: { id: home }
connections:
  - { id: 'bus-{1..2}', type: socketcan, interface: can0 }
  - { id: a, type: modbus-tcp, host: 10.0.0.7 }
  - { id: b, type: modbus-tcp, host: 10.0.0.7, port: 502 }
  - { id: c, type: modbus-tcp, host: 10.0.0.7, port: 503 }
batteries: [{ id: b, packs: [{ id: p1, connection: bus-1, profile: acme-can, cells: 1 }] }]
`;
  expect(problemsOf(text)).toEqual([
    'config.yaml:3:53 connections[0].interface: found can0, which connection bus-1 has, expected one connection to it',
    'config.yaml:5:38 connections[2].host: found 10.0.0.7:502, which connection a has, expected one connection to it',
  ]);
});

test('rules say what is wrong with them, and good ones stand beside the default ones', () => {
  const rule = 'label: L';
  const rules = [
    `{ id: a, ${rule}, cell: voltage_v, above: { critical: 3.6, warning: 3.7 } }`,
    `{ id: a, ${rule}, cell: voltage_v, pack: soc_pct, above: { warning: 3.6 } }`,
    `{ id: c, ${rule}, below: { warning: 3.6 } }`,
    `{ id: d, ${rule}, pack: soc_pct, above: { warning: 1 }, below: { warning: 2 } }`,
    `{ id: e, ${rule}, pack: soc_pct }`,
    `{ id: f, ${rule}, pack: soc_pct, below: { warning: 90 }, hysteresis: 20 }`,
    `{ id: pack_silent, ${rule}, pack: soc_pct, below: { warning: 10 } }`,
    `{ id: g, ${rule}, pack: soc_pct, below: {} }`,
    `{ id: h, ${rule}, cell: voltage_v, below: { warning: { over: [temperature_c, c_rate], at: [[0, 25], [-1, 0]], limits: [[2, 3], [2.5]] } } }`,
    `{ id: i, ${rule}, cell: voltage_v, below: { warning: { over: [temperature_c], at: [[25, 0]], limits: [2, 3] } } }`,
  ];
  const limits = [
    '{ rule: soc_lo, warning: 5 }',
    '{ rule: soc_low, battery: b1, pack: p1, warning: 5 }',
    '{ rule: soc_low }',
    '{ rule: soc_low, warning: 2, critical: 4 }',
  ];
  const lines = (key: string, list: string[]) => `  ${key}:\n${list.map(line => `    - ${line}\n`).join('')}`;
  const alerts = `alerts:\n${lines('rules', rules)}${lines('limits', limits)}`;
  expect(problemsOf(withPack(GOOD, alerts)).map(line => line.replace(/^\S+ alerts\./, ''))).toEqual([
    'rules[0].above.warning: found 3.7, expected at most 3.6, the critical limit',
    'rules[1]: found both "cell" and "pack", expected either "cell" or "pack"',
    'rules[1].id: found "a" again, expected an id of its own',
    'rules[2]: found neither "cell" nor "pack", expected either "cell" or "pack"',
    'rules[3]: found both "above" and "below", expected either "above" or "below"',
    'rules[4]: found neither "above" nor "below", expected either "above" or "below"',
    'rules[5].hysteresis: found 20, expected a limit and a hysteresis that leave room between 0 and 100 %: it would clear at 110 %, never',
    'rules[6].id: found "pack_silent" again, expected an id of its own',
    'rules[7].below: found no limit, expected critical, warning or info',
    'rules[8].below.warning.limits[1]: found 1 limits, expected 2 at temperature_c 25, one for each value of c_rate',
    'rules[9].below.warning.at[0][1]: found 0 after 25, expected values in ascending order',
    'limits[0].rule: found "soc_lo", expected the id of a rule; did you mean "soc_low"?',
    'limits[1]: found battery and pack, expected one of pack, battery, profile and chemistry',
    'limits[2]: found no limit, expected critical, warning, info or hysteresis',
    'limits[3].warning: found 2, expected at least 4, the critical limit',
  ]);
  expect(
    problemsOf(withPack(GOOD, 'alerts: { limits: [{ rule: soc_low, battery: b9, warning: 5 }] }')),
  ).toEqual([
    expect.stringMatching(/alerts\.limits\[0\]\.battery: found "b9", expected the id of a battery/),
  ]);
  const good = `{ id: a, ${rule}, cell: voltage_v, above: { critical: 3.6 }, hysteresis: 0.1, chemistry: nmc, raise_after_ms: 50 }`;
  const loaded = load(withPack(GOOD, `alerts:\n  default_rules: false\n${lines('rules', [good])}`));
  expect(loaded.config.alerts.rules).toEqual([
    {
      id: 'a',
      label: 'L',
      on: { scope: 'cell', metric: 'voltage_v' },
      direction: 'above',
      limits: [{ chemistry: 'nmc', critical: 3.6, hysteresis: 0.1, from: 'configuration' }],
      raise_after_ms: 50,
      critical_after_ms: 50,
      clear_after_ms: 10_000,
      inhibit_ms: 10_000,
      latch: false,
    },
  ]);
});

const SIMULATED = `site: { id: home }
connections: [{ id: bus, type: virtual-can }, { id: idle, type: virtual-modbus }]
batteries: [{ id: b1, packs: [{ id: p1, connection: bus, profile: acme-can, cells: 4 }] }]
`;

test('what works but is hardly meant is a warning', () => {
  const warnings = load(SIMULATED).warnings.map(problem => formatProblem(problem).replace(`${folder}/`, ''));
  expect(warnings).toEqual([
    'config.yaml:2:32 connections[0].type: found virtual-can without a simulation, expected a section "simulation"; its packs will stay silent',
    'config.yaml:2:47 connections[1]: found connection "idle" without packs, expected a pack that names it; it is not opened',
  ]);
  const open = load(
    `${SIMULATED}simulation: {}\n`,
    readEnvironment({ BMS_HTTP_HOST: '0.0.0.0', JWT_SECRET: 'short-secret' }),
  );
  expect(open.warnings.map(({ found }) => found)).toEqual([
    'connection "idle" without packs',
    '12 characters',
  ]);
});

test('a bit rate of an adapter that is not the one of the profile is a warning', () => {
  const adapter = (bitrate_bps: number) => `site: { id: home }
connections: [{ id: usb, type: slcan, port: /dev/ttyACM0, bitrate_bps: ${bitrate_bps} }]
batteries: [{ id: b1, packs: [{ id: p1, connection: usb, profile: jk-can-v2, cells: 4 }] }]
`;
  const warningsAt = (bitrate_bps: number) => {
    writeFileSync(file, adapter(bitrate_bps));
    return loadConfig(file, readEnvironment({}), loadProfiles()).warnings.map(
      ({ path, message }) => `${path} ${message}`,
    );
  };
  expect(warningsAt(250_000)).toEqual([]);
  expect(warningsAt(500_000)).toEqual([
    'connections[0].bitrate_bps found 500000, expected 250000, as profile jk-can-v2 says; a wrong one disturbs the whole bus',
  ]);
});

test('faults of the simulation name packs and cells there are', () => {
  const faults = `simulation:
  faults:
    - { kind: weak_cell, pack: p2, cell: 1 }
    - { kind: weak_cell, pack: p1, cell: 5 }
    - { kind: overheating, pack: p1 }
    - { kind: dead_unit, pack: p1 }
`;
  expect(problemsOf(SIMULATED + faults).map(line => line.replace(/^\S+ simulation\.faults/, ''))).toEqual([
    '[0].pack: found unknown pack "p2", expected a pack of this file; did you mean "p1"?',
    '[1].cell: found 5, expected a cell from 1 to 4',
    '[2]: found no key "cell", expected a cell number for overheating',
  ]);
});

test('a password is never shown', () => {
  const text = withPack(GOOD, 'upstream: { database_url: mysql://gateway:hunter2@db/x }\n');
  expect(problemsOf(text)).toEqual([
    'config.yaml:12:27 upstream.database_url: found a URL that begins with mysql:, expected postgres://user:password@host:port/database',
  ]);
});

test('an absent file is one problem', () => {
  expect(() => loadConfig(join(folder, 'absent.yaml'), quietEnvironment, testProfiles)).toThrow(
    /absent\.yaml: found no such file/,
  );
});
