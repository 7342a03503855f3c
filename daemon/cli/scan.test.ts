/** The configuration a scan prints is one the gateway takes, for every profile; the report says why. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { scanTraffic } from '../../drivers/can/scan/can-scan.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';
import { candidateBinding } from '../../drivers/scan/candidate.ts';
import { configurationFor } from '../../drivers/scan/configuration.ts';
import type { Finding } from '../../drivers/scan/finding.ts';
import { parseTarget } from '../../drivers/scan/target.ts';
import { trafficOf } from '../../drivers/scan/testing/scan.ts';
import type { ConnectionConfig } from '../../drivers/transports.ts';
import { readEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { scan } from './scan.ts';
import { describeScan } from './scan-report.ts';

const loaded = loadProfiles();
const { profiles } = loaded;
const directory = mkdtempSync(join(tmpdir(), 'bms-scan-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function load(yaml: string) {
  const file = join(directory, 'config.yaml');
  writeFileSync(file, yaml);
  return loadConfig(file, readEnvironment({}), loaded);
}

const canProfiles = [...profiles.values()].filter(({ can }) => can);

test.each(canProfiles)('$id: the configuration for its traffic loads as it', async profile => {
  const cells = Math.min(16, profile.cells.max);
  const address = profile.address?.default;
  const findings = await scanTraffic(trafficOf([candidateBinding(profile, address, cells, 0)]), [profile]);
  const yaml = configurationFor({ id: 'can', type: 'socketcan', interface: 'can0' }, findings, profiles);
  expect(yaml).toContain(`ip link set can0 up type can bitrate ${profile.can?.bitrate}`);
  const { topology, warnings } = load(yaml ?? '');
  expect(warnings).toEqual([]);
  expect(topology.packs).toMatchObject([{ profile_id: profile.id, address, shape: { cell_count: cells } }]);
});

function finding(profile: string, address: number | undefined, confidence_pct = 90): Finding {
  const cells = Math.min(16, profiles.get(profile)?.cells.max ?? 0);
  return {
    profile,
    title: profile,
    address,
    confidence_pct,
    cells,
    sensors: 0,
    cell_voltage_max_v: 3.33,
    why: [],
    contradictions: [],
  };
}

const modbusProfiles = [...profiles.values()].filter(({ transport }) => transport === 'modbus');

test.each(modbusProfiles)('$id: the configuration for its units loads', profile => {
  const units = [...new Set([profile.address?.default ?? 1, profile.address?.max ?? 2])];
  for (const target of ['/dev/ttyUSB0:19200', 'tcp://10.0.0.5', 'rtu://10.0.0.5:8899']) {
    const connection = parseTarget(target) as ConnectionConfig;
    const yaml = configurationFor(
      connection,
      units.map(unit => finding(profile.id, unit)),
      profiles,
    );
    const { topology, connections } = load(yaml ?? '');
    expect(topology.packs.map(({ address }) => address)).toEqual(units);
    expect(topology.batteries[0].chemistry).toBe('lfp');
    expect(connections[0].connection).toMatchObject(connection);
  }
});

test('what is not sure enough goes into no configuration', () => {
  const connection = { id: 'can', type: 'socketcan', interface: 'can0' } as const;
  expect(configurationFor(connection, [finding('jk-can-v2', 0, 49)], profiles)).toBeUndefined();
  const both = [finding('jk-can-v2', 0), finding('daly-can', 1, 20)];
  expect(load(configurationFor(connection, both, profiles) ?? '').topology.packs).toHaveLength(1);
});

test('a bus with error frames alone is reported to be at another bit rate', () => {
  const target = parseTarget('can0');
  if (!target) throw new Error('can0 is a target');
  const result = { target: 'can0', notes: [], findings: [], configuration: undefined };
  const lines = describeScan({ ...result, received: { frames: 0, error_frames: 12 } }, target).join('\n');
  expect(lines).toMatch(/received 0 frames of 0 ids, 12 error frames/);
  expect(lines).toMatch(/only error frames: the bit rate is probably wrong; .*250000 or 500000/);
});

test('of a log nothing is asked, and it gets no longer by waiting', () => {
  const target = parseTarget('./foreign.log');
  if (!target) throw new Error('a log is a target');
  const result = { target: 'foreign.log', notes: [], findings: [], configuration: undefined };
  const lines = describeScan({ ...result, received: { frames: 1, ids: [] } }, target).join('\n');
  expect(lines).toMatch(/a longer log/);
  expect(lines).not.toMatch(/--seconds|--profile (daly|nissan)/);
});

test.each([
  [{ target: undefined }, /expected can0, FILE\.log/],
  [{ target: 'can0', profile: 'nothing' }, /no profile "nothing"; there are /],
  [{ target: 'can0', profile: 'seplos-v3' }, /seplos-v3 is for modbus, can0 is can/],
  [{ target: 'tcp://127.0.0.1', units: '5-2' }, /--units: found "5-2", expected/],
  [{ target: 'tcp://127.0.0.1', units: '1-400' }, /--units: found "1-400", expected/],
])('misuse %o is reported', async (misuse, message) => {
  const command = { seconds: undefined, units: undefined, profile: undefined, json: false, ...misuse };
  await expect(scan(command, profiles)).rejects.toThrow(message);
});
