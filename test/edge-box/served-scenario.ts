/**
 * Runs inside the edge box: virtual hardware on a real vcan and behind a real slcan line discipline, read by
 * `candump`, by `bms-gateway scan` on the kernel's interfaces, and on the serial port itself. It judges nothing.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScanResult } from '../../daemon/cli/scan-report.ts';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { bringUp, ip, until } from './inside.ts';

export interface ServedObservations {
  /** Lines of `candump` on the interfaces. */
  readonly dumps: Record<'vcan0' | 'slcan0', string[]>;
  /** What a scan found, by where it searched. */
  readonly scans: Record<string, Pick<ScanResult, 'findings' | 'notes' | 'configuration'>>;
  readonly exit_codes: (number | null)[];
  failure?: string;
}

const WAIT_MS = 60_000;
const seen: ServedObservations = { dumps: { vcan0: [], slcan0: [] }, scans: {}, exit_codes: [] };
const started: GatewayProcess[] = [];

const gateway = (...args: string[]) => {
  const process = startGateway(args, { BMS_STATE_DIR: '/run/state/bms' });
  started.push(process);
  return process;
};

async function scan(place: string, ...args: string[]): Promise<void> {
  const process = gateway('scan', place, '--json', '--seconds', '6', ...args);
  await process.exited;
  const text = process.output();
  const { findings, notes, configuration } = JSON.parse(text.slice(text.indexOf('{'))) as ScanResult;
  seen.scans[place] = { findings, notes, configuration };
}

const dump = (bus: string, count: number) =>
  execFileSync('candump', ['-L', '-n', String(count), '-T', '20000', bus], { encoding: 'latin1' })
    .trim()
    .split('\n');

async function attach(adapter: GatewayProcess, bus: string, speed: string): Promise<void> {
  const [, port] = await adapter.waitFor(/(\/dev\/pts\/\d+)/, WAIT_MS);
  execFileSync('slcand', ['-o', '-c', '-f', `-s${speed}`, port, bus]);
  await until(`${bus} to appear`, () => ip('link', 'show', bus), Boolean);
  ip('link', 'set', bus, 'up');
}

async function observe(): Promise<void> {
  bringUp('vcan0');
  const jk = ['--profile', 'jk-can-v2', '--packs', '2', '--cells', '16'];
  const broadcasting = gateway('simulate', ...jk, '--listen', 'vcan0', '--listen', 'pty');
  const answering = gateway('simulate', '--profile', 'daly-can', '--cells', '8', '--listen', 'pty');
  const direct = gateway('simulate', ...jk, '--listen', 'pty');
  await broadcasting.waitFor(/Ctrl-C stops/, WAIT_MS);
  seen.dumps.vcan0 = dump('vcan0', 400);
  await scan('vcan0');
  // The kernel's own side of slcan.
  await attach(broadcasting, 'slcan0', '5');
  seen.dumps.slcan0 = dump('slcan0', 400);
  await scan('slcan0');
  // Requests go through the kernel to the adapter, answers come back.
  await attach(answering, 'slcan1', '5');
  await scan('slcan1', '--profile', 'daly-can');
  // Long replies over ISO-TP, with flow control, through the kernel.
  bringUp('vcan1');
  const vehicle = ['--profile', 'hyundai-kia-64kwh'];
  const diagnosed = gateway('simulate', ...vehicle, '--cells', '98', '--listen', 'vcan1');
  await diagnosed.waitFor(/Ctrl-C stops/, WAIT_MS);
  await scan('vcan1', ...vehicle);
  // The gateway's own slcan, without the kernel's.
  const [, port] = await direct.waitFor(/(\/dev\/pts\/\d+)/, WAIT_MS);
  await scan(`slcan:${port}:250000`);
  for (const process of [broadcasting, answering, direct, diagnosed])
    seen.exit_codes.push((await process.stop()).code);
}

try {
  await observe();
} catch (error) {
  seen.failure = `${String(error)}\n${started.map(process => process.output().slice(-2000)).join('\n---\n')}`;
}
writeFileSync(join(process.env.SHARE!, 'served.json'), JSON.stringify(seen));
process.exit(0);
