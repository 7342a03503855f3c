/** Every Modbus profile is known again by its own registers; other devices are not claimed. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { PackMetric } from '../../../core/metrics.ts';
import { loadProfiles } from '../../profiles/load.ts';
import { candidateBinding } from '../../scan/candidate.ts';
import { configurationFor } from '../../scan/configuration.ts';
import type { Finding } from '../../scan/finding.ts';
import { healthyReading } from '../../scan/testing/scan.ts';
import { encodeMbap } from '../mbap.ts';
import { encodeRtu } from '../rtu/crc.ts';
import { oddDevice } from '../testing/odd-device.ts';
import { createUnitImage } from '../unit-image.ts';
import { VirtualModbusHub } from '../virtual-link.ts';
import { type ModbusOutcome, scanModbus } from './modbus-scan.ts';

const { profiles } = loadProfiles();
const modbusProfiles = [...profiles.values()].filter(({ transport }) => transport === 'modbus');
const LINK = 'link';

function scan(hub: VirtualModbusHub, units: number[] = []): Promise<ModbusOutcome> {
  return scanModbus({
    connection: { id: LINK, type: 'virtual-modbus', timeout_ms: 20, retries: 0 },
    profiles: [...profiles.values()],
    units,
    clock: systemClock,
    hub,
    budget_ms: 60_000,
    onProgress: () => {},
  });
}

/** Puts a unit of the profile on the link; returns the functions it was asked with. */
function attach(hub: VirtualModbusHub, id: string, unit: number, cells = 16): Set<number> {
  const profile = profiles.get(id);
  if (!profile) throw new Error(`no profile ${id}`);
  const binding = candidateBinding(profile, unit, Math.min(cells, profile.cells.max));
  const { image, write } = createUnitImage(binding);
  const reading = healthyReading(binding);
  reading.values[PackMetric.energy_in_kwh] = 1500;
  reading.values[PackMetric.energy_out_kwh] = 1400;
  write(reading);
  const functions = new Set<number>();
  hub.attach(LINK, unit, pdu => {
    functions.add(pdu[0]);
    return image.answer(pdu);
  });
  return functions;
}

const best = ({ findings }: ModbusOutcome): Finding => findings[0];

test.each(modbusProfiles)('$id: its own registers are known as it, by reading alone', async profile => {
  const hub = new VirtualModbusHub();
  const unit = profile.address?.default ?? 1;
  const functions = attach(hub, profile.id, unit);
  const outcome = await scan(hub);
  expect(best(outcome)).toMatchObject({
    profile: profile.id,
    address: unit,
    cells: Math.min(16, profile.cells.max),
  });
  // Who reports four values and no cell cannot be known as surely.
  const says_little = profile.cells.max === 0 && Object.keys(profile.registers?.pack ?? {}).length === 4;
  expect(best(outcome).confidence_pct).toBeGreaterThan(says_little ? 65 : 80);
  for (const other of outcome.findings.slice(1)) expect(other.confidence_pct, other.profile).toBeLessThan(50);
  expect([...functions].filter(code => code < 1 || code > 4)).toEqual([]);
});

test('units of a range are found, each with its own cells', async () => {
  const hub = new VirtualModbusHub();
  attach(hub, 'sunspec-battery', 3, 12);
  attach(hub, 'sunspec-battery', 5, 20);
  const outcome = await scan(hub, [3, 4, 5]);
  expect(outcome.answering_units).toEqual([3, 5]);
  expect(outcome.findings.map(({ address, cells }) => [address, cells])).toEqual([
    [3, 12],
    [5, 20],
  ]);
  expect(best(outcome).why.join()).toMatch(/SunSpec models 1, 802, 803, 804, 805/);
});

test.each([
  ['zeros everywhere', 0],
  ['ones everywhere', 0xff],
  ['the same number everywhere', 0x5a],
])('a device with %s is no battery', async (_, byte) => {
  const hub = new VirtualModbusHub();
  const answer = (pdu: Uint8Array) => {
    const count = (pdu[3] << 8) | pdu[4];
    const length = pdu[0] <= 2 ? (count + 7) >> 3 : 2 * count;
    return Uint8Array.of(pdu[0], length, ...new Uint8Array(length).fill(byte));
  };
  for (const unit of [0, 1, 129, 210]) hub.attach(LINK, unit, answer);
  const { findings } = await scan(hub);
  for (const { profile, confidence_pct, why } of findings)
    expect(confidence_pct, `${profile}: ${why.join()}`).toBeLessThanOrEqual(30);
});

test('a device that refuses every register answers, and fits nothing', async () => {
  const hub = new VirtualModbusHub();
  hub.attach(LINK, 1, pdu => Uint8Array.of(pdu[0] | 0x80, 2));
  expect(await scan(hub)).toMatchObject({ findings: [], answering_units: [1] });
});

test('a link on which nobody answers is one clear line', async () => {
  await expect(scan(new VirtualModbusHub(), [7])).rejects.toMatchObject({
    code: 'LINK_TIMEOUT',
    message: expect.stringMatching(/^virtual link link: no reply from unit .*7.*; check wiring/),
  });
});

test('a link that is refused says so', async () => {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  const refused = scanModbus({
    connection: { id: LINK, type: 'modbus-tcp', host: '127.0.0.1', port },
    profiles: modbusProfiles,
    units: [],
    clock: systemClock,
    hub: new VirtualModbusHub(),
    budget_ms: 10_000,
    onProgress: () => {},
  });
  await expect(refused).rejects.toMatchObject({
    code: 'LINK_REFUSED',
    message: expect.stringMatching(/^cannot connect to 127\.0\.0\.1:\d+: .*ECONNREFUSED/),
  });
});

test.each([
  [
    'reply_unit',
    'zero',
    (transaction: number, _: number, pdu: Uint8Array) => encodeMbap(transaction, 0, pdu),
  ],
  ['reply_transaction', 'zero', (_: number, unit: number, pdu: Uint8Array) => encodeMbap(0, unit, pdu)],
  [
    'length_counts_crc',
    true,
    (transaction: number, unit: number, pdu: Uint8Array) =>
      encodeMbap(transaction, unit, encodeRtu(unit, pdu).subarray(1)),
  ],
] as const)('a gateway that needs %s: %s: found with it, and so configured', async (name, value, frame) => {
  const seplos = profiles.get('seplos-v3');
  if (!seplos) throw new Error('no profile seplos-v3');
  const binding = candidateBinding(seplos, 3, 16);
  const { image, write } = createUnitImage(binding);
  write(healthyReading(binding));
  const device = await oddDevice(({ socket, transaction, unit, pdu }) => {
    if (unit === binding.address) socket.write(frame(transaction, unit, image.answer(pdu)));
  });
  try {
    const outcome = await scanModbus({
      connection: { id: 'tcp', type: 'modbus-tcp', host: '127.0.0.1', port: device.port },
      profiles: [seplos],
      units: [3],
      clock: systemClock,
      hub: new VirtualModbusHub(),
      budget_ms: 60_000,
      onProgress: () => {},
    });
    expect(best(outcome)).toMatchObject({ profile: 'seplos-v3', cells: 16 });
    expect(best(outcome).why).toContain(`"${name}: ${value}" takes its replies`);
    expect(configurationFor(outcome.connection, outcome.findings, profiles)).toContain(`${name}: ${value}`);
  } finally {
    await device.close();
  }
});
