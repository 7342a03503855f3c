/**
 * `bms-gateway scan TARGET`: listens to a CAN bus or asks a Modbus link, read-only, and says which profiles
 * fit, how surely and why, with the configuration to paste.
 */
import { systemClock } from '../../core/clock/system-clock.ts';
import { SlcanBus } from '../../drivers/can/slcan-bus.ts';
import { SocketCanBus } from '../../drivers/can/socketcan-bus.ts';
import type { ConnectionConfig } from '../../drivers/connections.ts';
import { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { CanListener } from '../../drivers/scan/can-listen.ts';
import { scanTraffic } from '../../drivers/scan/can-scan.ts';
import { configurationFor } from '../../drivers/scan/configuration.ts';
import { scanModbus } from '../../drivers/scan/modbus-scan.ts';
import { parseTarget, type ScanTarget, TARGET_FORMS } from '../../drivers/scan/target.ts';
import { CanTraffic } from '../../drivers/scan/traffic.ts';
import { readLogFrames } from './named-files.ts';
import { describeScan, type ScanResult } from './scan-report.ts';
import { UsageError } from './usage.ts';

export interface ScanCommand {
  readonly target: string | undefined;
  readonly seconds: number | undefined;
  /** A unit or address, or a range: `3`, `1-16`. */
  readonly units: string | undefined;
  readonly profile: string | undefined;
  readonly json: boolean;
}

interface Terms {
  readonly profiles: readonly Profile[];
  readonly units: readonly number[];
  readonly seconds: number | undefined;
  readonly named: boolean;
  readonly tell: (line: string) => void;
}

const LISTEN_S = 10;
const ASK_S = 5;
const MODBUS_BUDGET_S = 120;
const HIGHEST_UNIT = 255;

/** Exit code 0: a profile fits; 1: none does. @throws UsageError, GatewayError (nothing to listen on, no reply) */
export async function scan(
  command: ScanCommand,
  profiles: ReadonlyMap<string, Profile>,
): Promise<{ code: number; text: string }> {
  const target = parseTarget(command.target ?? '');
  if (!target) throw new UsageError(`scan: found "${command.target ?? ''}", expected ${TARGET_FORMS}`);
  const named = command.profile === undefined ? undefined : profiles.get(command.profile);
  if (command.profile !== undefined && !named)
    throw new UsageError(`no profile "${command.profile}"; there are ${[...profiles.keys()].join(', ')}`);
  const transport = target.kind === 'modbus' ? 'modbus' : 'can';
  if (named && named.transport !== transport)
    throw new UsageError(`profile ${named.id} is for ${named.transport}, ${command.target} is ${transport}`);
  const terms: Terms = {
    profiles: named ? [named] : [...profiles.values()],
    units: unitsIn(command.units),
    seconds: command.seconds,
    named: named !== undefined,
    tell: line => process.stderr.write(`${line}\n`),
  };
  const { received, notes, findings, connection = target.connection } = await scanTarget(target, terms);
  const configuration = configurationFor(connection, findings, profiles);
  const result: ScanResult = { target: command.target ?? '', received, notes, findings, configuration };
  const text = command.json ? JSON.stringify(result, null, 2) : describeScan(result, target).join('\n');
  return { code: configuration === undefined ? 1 : 0, text: `${text.trimEnd()}\n` };
}

type Scanned = Pick<ScanResult, 'received' | 'notes' | 'findings'> & {
  /** As it has to be, where that is not what was asked for. */
  readonly connection?: ConnectionConfig;
};

async function scanTarget(target: ScanTarget, terms: Terms): Promise<Scanned> {
  switch (target.kind) {
    case 'log':
      return fitted(await readTraffic(target.connection.file), [], terms);
    case 'can':
      return scanLive(target, terms);
    case 'modbus': {
      const { connection, findings, answering_units, left_out } = await scanModbus({
        connection: target.connection,
        profiles: terms.profiles,
        units: terms.units,
        clock: systemClock,
        hub: new VirtualModbusHub(),
        budget_ms: 1000 * (terms.seconds ?? MODBUS_BUDGET_S),
        onProgress: terms.tell,
      });
      const notes = [
        'asked read-only (functions 1 to 4)',
        ...(left_out > 0 ? [`${left_out} profiles and units not tried for want of time; see --seconds`] : []),
      ];
      return { received: { answering_units }, notes, findings, connection };
    }
  }
}

async function scanLive(
  { connection }: Extract<ScanTarget, { kind: 'can' }>,
  terms: Terms,
): Promise<Scanned> {
  const bus =
    connection.type === 'socketcan'
      ? new SocketCanBus(connection.interface, systemClock)
      : new SlcanBus(connection, systemClock);
  const listener = new CanListener(bus, systemClock);
  const { traffic } = listener;
  const seconds = terms.seconds ?? LISTEN_S;
  terms.tell(`listening to ${bus.name} for ${seconds} s`);
  await listener.listen(1000 * seconds);
  const notes: string[] = listener.fault ? [listener.fault] : [];
  const asked = terms.profiles.filter(({ can }) => can?.polls);
  // On a bus with errors the bit rate may be wrong: whatever is sent there disturbs the others.
  const quiet = traffic.frames === 0 && traffic.error_frames === 0;
  if (asked.length > 0 && (terms.named || quiet)) {
    const names = asked.map(({ id }) => id).join(', ');
    const note = `${terms.named ? 'named' : 'nothing spoke'}: sent the documented read requests of ${names}`;
    terms.tell(note);
    notes.push(note);
    await listener.ask(asked, profile => addressesToAsk(profile, terms.units), 1000 * ASK_S);
  }
  return fitted(traffic, notes, terms);
}

function addressesToAsk({ address }: Profile, units: readonly number[]): readonly (number | undefined)[] {
  if (!address) return [undefined];
  const fitting = units.filter(unit => unit >= address.min && unit <= address.max);
  return fitting.length > 0 ? fitting : [address.default];
}

async function readTraffic(file: string): Promise<CanTraffic> {
  const traffic = new CanTraffic();
  const counts = { lines: 0, unreadable: 0 };
  for await (const line of readLogFrames(file, counts)) {
    if (line.error) traffic.error_frames++;
    else if (line.remote) traffic.remote_frames++;
    else traffic.add({ ...line, length: line.data.length }, 1000 * line.t_s);
  }
  traffic.unreadable_lines = counts.unreadable;
  return traffic;
}

async function fitted(traffic: CanTraffic, notes: readonly string[], terms: Terms): Promise<Scanned> {
  const { frames, error_frames, unreadable_lines } = traffic;
  const findings = await scanTraffic(traffic, terms.profiles);
  return { received: { frames, error_frames, unreadable_lines, ids: traffic.summary() }, notes, findings };
}

function unitsIn(text: string | undefined): number[] {
  if (text === undefined) return [];
  const match = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > last || last > HIGHEST_UNIT)
    throw new UsageError(`--units: found "${text}", expected a unit or a range such as 1-16, up to 255`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
