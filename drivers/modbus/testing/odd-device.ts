/** Devices that bend the rules at byte level, behind real TCP sockets, and a small pack of nine values in four blocks to read from them. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'vitest';
import type { Clock } from '../../../core/clock/clock.ts';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { Quality } from '../../../core/reading/quality.ts';
import type { Driver, LinkEvent, PackBinding } from '../../driver.ts';
import type { Profile } from '../../profiles/profile.ts';
import type { ModbusConnection } from '../connections.ts';
import { encodeMbap, MbapReader } from '../mbap.ts';
import { createModbusDriver } from '../modbus-driver.ts';
import { RegisterImage } from '../register-image.ts';
import { crcFits } from '../rtu/crc.ts';
import { VirtualModbusHub } from '../virtual-link.ts';
import { bindingFor } from './registers.ts';

const ODD_PROFILE: Profile = {
  id: 'four-cells',
  title: 'Four cells',
  vendor: 'Acme',
  models: [],
  source: 'Acme',
  transport: 'modbus',
  cells: { max: 4 },
  sensors: { max: 2 },
  directory: '',
  registers: {
    blocks: {
      sums: { code: 4, first: 0, last: 1 },
      cells: { code: 4, first: 100, last: 103 },
      charge: { code: 4, first: 200, last: 200 },
      sensors: { code: 4, first: 300, last: 301 },
    },
    pack: {
      voltage_v: { block: 'sums', at: 0, scale: 0.01 },
      current_a: { block: 'sums', at: 1, type: 's16', scale: 0.01 },
      soc_pct: { block: 'charge', at: 200 },
    },
    cells: { voltage_v: { block: 'cells', at: 100, count: 4, scale: 0.001 } },
    sensors: [{ block: 'sensors', at: 300, count: 2 }],
  },
};

export const VALUES = 9;
const VOLTS = 13.2;
const AMPERES = -5;
const CELLS = [3301, 3302, 3303, 3304];
const SOC = 77;
const DEGREES = [21, 22];

export function fourCells(pack = 0, address = 1): PackBinding {
  return { ...bindingFor(ODD_PROFILE, { cells: 4, sensors: 2 }), pack, pack_id: `pack-${pack}`, address };
}

const registers = (address: number, ...words: number[]) => ({
  code: 4 as const,
  address,
  registers: Uint16Array.from(words, word => word & 0xffff),
});
const image = new RegisterImage(
  registers(0, VOLTS * 100, AMPERES * 100),
  registers(100, ...CELLS),
  registers(200, SOC),
  registers(300, ...DEGREES),
);

/** What an honest unit answers. */
export const honest = (pdu: Uint8Array): Uint8Array => image.answer(pdu);

export const addressOf = (pdu: Uint8Array): number => (pdu[1] << 8) | pdu[2];

/** How many of the nine are good; a good one that is not what the device holds fails the test. */
export function rightOf(driver: Driver, mono_ms = systemClock.monoMs(), index = 0): number {
  const state = driver.packs[index];
  const reading = new PackReading(state.pack, state.shape);
  state.snapshotInto(reading, 0, mono_ms);
  const seen: [number, number, number][] = [
    [reading.value_quality[PackMetric.voltage_v], reading.values[PackMetric.voltage_v], VOLTS],
    [reading.value_quality[PackMetric.current_a], reading.values[PackMetric.current_a], AMPERES],
    [reading.value_quality[PackMetric.soc_pct], reading.values[PackMetric.soc_pct], SOC],
    ...CELLS.map((mv, i): [number, number, number] => [
      reading.columnQuality(CellMetric.voltage_v)[i],
      reading.column(CellMetric.voltage_v)[i],
      mv / 1000,
    ]),
    ...DEGREES.map((c, i): [number, number, number] => [reading.sensor_quality[i], reading.sensors[i], c]),
  ];
  let right = 0;
  for (const [quality, value, held] of seen) {
    if (quality !== Quality.good) continue;
    expect(value).toBeCloseTo(held, 4);
    right++;
  }
  return right;
}

export interface Request {
  readonly socket: Socket;
  /** 0 on RTU. */
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Uint8Array;
  /** Of the whole device, from 1. */
  readonly number: number;
  /** The honest reply as a Modbus TCP frame. */
  readonly reply: Uint8Array;
}

export interface OddDevice {
  readonly port: number;
  readonly requests: number;
  readonly connections: number;
  /** May be changed at any moment. */
  act: (request: Request) => void;
  close(): Promise<void>;
}

/** `onConnect`: before anything is asked. */
export async function oddDevice(
  act: (request: Request) => void,
  { rtu = false, onConnect = (_: Socket) => {} } = {},
): Promise<OddDevice> {
  const sockets = new Set<Socket>();
  let requests = 0;
  let connections = 0;
  const server: Server = createServer({ noDelay: true }, socket => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const received = (transaction: number, unit: number, pdu: Uint8Array) => {
      const reply = encodeMbap(transaction, unit, honest(pdu));
      device.act({ socket, transaction, unit, pdu, number: ++requests, reply });
    };
    const reader = new MbapReader();
    let rest = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      if (!rtu) {
        for (const { transaction, unit, pdu } of reader.push(Uint8Array.from(bytes)))
          received(transaction, unit, pdu);
        return;
      }
      rest = Buffer.concat([rest, bytes]);
      for (; rest.length >= 8 && crcFits(rest, 0, 8); rest = rest.subarray(8))
        received(0, rest[0], Uint8Array.from(rest.subarray(1, 6)));
    });
    onConnect(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const device: OddDevice = {
    port: typeof address === 'object' && address ? address.port : 0,
    get requests() {
      return requests;
    },
    get connections() {
      return connections;
    },
    act,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
  return device;
}

/** Time that runs faster, so that seconds pass in moments. */
export function fastClock(speed: number): Clock {
  return {
    wallMs: () => systemClock.wallMs(),
    monoMs: () => systemClock.monoMs() * speed,
    setTimer: (fn, delay_ms) => systemClock.setTimer(fn, delay_ms / speed),
    clearTimer: handle => systemClock.clearTimer(handle),
  };
}

export interface OddBench {
  readonly driver: Driver;
  readonly events: LinkEvent[];
  /** Lines of the log above debug that the driver itself writes. */
  readonly lines: string[];
  right(index?: number): number;
}

export async function startOn(
  device: OddDevice,
  settings: Record<string, unknown> = {},
  clock: Clock = systemClock,
  bindings: readonly PackBinding[] = [fourCells()],
): Promise<OddBench> {
  const { interval_ms = 500, ...rest } = settings;
  const connection = {
    id: 'odd',
    type: 'modbus-tcp',
    host: '127.0.0.1',
    port: device.port,
    timeout_ms: 300,
    ...rest,
  } as ModbusConnection;
  const events: LinkEvent[] = [];
  const lines: string[] = [];
  const keep = (_: unknown, text?: unknown) => {
    lines.push(String(text));
  };
  const driver = createModbusDriver(
    connection,
    bindings,
    {
      clock,
      log: { ...silentLogger, info: keep, warn: keep, error: keep },
      interval_ms: Number(interval_ms),
      onUpdate: () => {},
      onLink: event => events.push(event),
    },
    new VirtualModbusHub(),
  );
  await driver.start();
  return { driver, events, lines, right: index => rightOf(driver, clock.monoMs(), index) };
}

export async function until(condition: () => boolean, timeout = 15_000): Promise<void> {
  await expect.poll(condition, { timeout, interval: 10 }).toBe(true);
}
