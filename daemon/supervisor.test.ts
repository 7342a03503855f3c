/** A broken profile stops nobody but its own packs, from the file to the state of the connection. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ManualClock } from '../core/clock/manual-clock.ts';
import { silentLogger } from '../core/log.ts';
import { loadProfilesFor } from '../drivers/profiles/load.ts';
import { makeWires } from '../drivers/transports.ts';
import { checkConfig } from './config/check.ts';
import { readEnvironment } from './config/environment.ts';
import { loadConfig } from './config/load.ts';
import { Supervisor } from './supervisor.ts';

const BLUEPRINT = new URL('../drivers/_blueprint/', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'supervisor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'config.yaml');
mkdirSync(join(folder, 'profiles'));
for (const name of ['acme-can.yaml', 'acme-can.dbc'])
  copyFileSync(new URL(name, BLUEPRINT), join(folder, 'profiles', name));
writeFileSync(join(folder, 'profiles', 'half-done.yaml'), 'id: half-done\ntitle: [\n');
writeFileSync(
  file,
  `site: { id: home }
connections: [{ id: bus, type: virtual-can }, { id: other, type: virtual-modbus }]
batteries:
  - id: b1
    packs:
      - { id: broken, connection: bus, profile: half-done, address: 5, cells: 8, options: { a: 1 } }
      - { id: sound, connection: bus, profile: acme-can, address: 3, cells: 16 }
      - { id: alone, connection: other, profile: half-done, cells: 8 }
`,
);
const reason = expect.stringMatching(/half-done\.yaml:\d+:\d+/);

test('check-config names the file and line of the profile, and which packs stay down', () => {
  const { ok, lines } = checkConfig(file, { BMS_STATE_DIR: folder });
  expect(ok).toBe(true);
  expect(lines[0]).toMatch(/^profile left out: .*profiles\/half-done\.yaml:\d+:\d+/);
  expect(lines.filter(line => line.includes('the pack stays down: '))).toEqual([
    expect.stringContaining('config.yaml:6:49 batteries[0].packs[0].profile'),
    expect.stringContaining('config.yaml:8:50 batteries[0].packs[2].profile'),
  ]);
});

test('its packs are down with the reason; a pack of another profile on the same bus is read', async () => {
  const config = loadConfig(file, readEnvironment({ BMS_STATE_DIR: folder }), loadProfilesFor(file));
  const clock = new ManualClock();
  const wires = makeWires();
  const context = { clock, log: silentLogger, interval_ms: 1000, onUpdate: () => {} };
  const supervisor = new Supervisor(config.connections, context, wires);
  const node = wires.can.bus('bus').attach();
  await supervisor.start();
  const data = Uint8Array.of(0x14, 0x82, 0xff, 0x83, 0xa9, 0x41, 0x40, 0x43);
  node.send({ id: 0x304, extended: false, data, length: 8 });
  const states = supervisor.packStates(3);
  expect(states.map(state => state.shape.cell_count)).toEqual([8, 16, 8]);
  expect(states.map(state => state.last_update_mono_ms)).toEqual([-Infinity, clock.monoMs(), -Infinity]);
  const [bus, other] = supervisor.health();
  expect(bus.packs).toEqual([
    { pack: 1, state: 'up', reason: undefined },
    { pack: 0, state: 'down', reason },
  ]);
  expect(other).toMatchObject({ state: 'down', packs: [{ pack: 2, state: 'down', reason }] });
  expect([supervisor.packReason(0), supervisor.packReason(1), supervisor.packReason(2)]).toEqual([
    reason,
    undefined,
    reason,
  ]);
  await supervisor.stop();
});
