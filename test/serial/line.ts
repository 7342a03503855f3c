/** A serial line for tests: a player of bytes in another process and language, and the driver on its port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import type { Driver, PackBinding } from '../../drivers/driver.ts';
import type { ModbusRtuConnection } from '../../drivers/modbus/connections.ts';
import { createModbusDriver } from '../../drivers/modbus/modbus-driver.ts';
import { bindingFor } from '../../drivers/modbus/testing/registers.ts';
import { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';

const PYTHON = '/usr/bin/python3';
export const serialRuns = process.platform === 'linux' && (existsSync(PYTHON) || process.env.CI === 'true');

export interface Block {
  readonly code: number;
  readonly address: number;
  readonly words: readonly number[];
}
export interface PlayedUnit {
  readonly id: number;
  readonly reply_id: number;
  readonly blocks: readonly Block[];
}
type Fault = { request: number; kind: string; ms?: number };
interface Play {
  readonly units: readonly PlayedUnit[];
  readonly echo?: boolean;
  readonly faults?: readonly Fault[];
}

let player: ChildProcess | undefined;
let driver: Driver | undefined;

/** After each test, and between two plays in one. */
export async function closeLine(): Promise<void> {
  await driver?.stop();
  killPlayer();
}

export function killPlayer(): void {
  player?.kill('SIGKILL');
}

/** The path of the port on which the units answer. */
export async function play(script: Play): Promise<string> {
  const program = new URL('serial_player.py', import.meta.url).pathname;
  player = spawn(PYTHON, [program, JSON.stringify(script)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(createInterface(player.stdout!), 'line');
  return String(port);
}

export function start(
  port: string,
  bindings: readonly PackBinding[],
  settings: Partial<ModbusRtuConnection> = {},
  interval_ms = 100,
): Driver {
  const connection = { id: 'line', type: 'modbus-rtu', port, baud_rate: 115_200, ...settings } as const;
  const context = {
    clock: systemClock,
    log: silentLogger,
    interval_ms,
    onUpdate: () => {},
    onLink: () => {},
  };
  driver = createModbusDriver(connection, bindings, context, new VirtualModbusHub());
  return driver;
}

export function snapshot(of: Driver, index: number): PackReading {
  const state = of.packs[index];

  const reading = new PackReading(state.pack, state.shape);
  state.snapshotInto(reading, systemClock.wallMs(), systemClock.monoMs());
  return reading;
}

export async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { timeout: 15_000, interval: 20 }).toBe(true);
}

export const packOf = (
  profile: Profile,
  pack: number,
  address: number,
  cells: number,
  sensors: number,
): PackBinding => ({
  ...bindingFor(profile, { cells, sensors }),
  pack,
  address,
});
