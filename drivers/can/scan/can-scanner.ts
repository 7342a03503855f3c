/** A scan of a CAN bus: it listens, or reads a log, and asks only what is documented to be asked. */
import { resolve } from 'node:path';
import type { Profile } from '../../profiles/profile.ts';
import type { Scanner, ScanOutcome, ScanTerms } from '../../scan/scanner.ts';
import { openableBus } from '../can-driver.ts';
import { type CanConnection, SlcanConnection } from '../connections.ts';
import { readLogFrames } from '../log-files.ts';
import { VirtualCanHub } from '../virtual-bus.ts';
import { CanTraffic, type ReceivedSummary } from './traffic.ts';

export interface CanReceived {
  readonly frames: number;
  readonly error_frames?: number;
  readonly unreadable_lines?: number;
  readonly ids?: readonly ReceivedSummary[];
}

type Outcome = ScanOutcome<CanConnection, CanReceived>;

const LISTEN_S = 10;
const ASK_S = 5;
/** Over ISO-TP, one identifier after the other. */
const ASK_REPLIES_S = 20;
const DEFAULT_BITRATE_BPS = 500_000;
const OTHER_BITRATE_BPS = 250_000;
const MAX_IDS_SHOWN = 16;

export const canScanner: Scanner<CanConnection, CanReceived> = {
  target_forms: 'can0, FILE.log, slcan:/dev/ttyACM0[:bitrate]',
  parseTarget,
  async scan(connection, terms) {
    if (connection.type !== 'candump') return scanLive(connection, terms);
    return fitted(connection, await readTraffic(connection.file), [], terms);
  },
  describeReceived,
  whatToTry,
  notesFor,
};

function parseTarget(text: string): CanConnection | undefined {
  const slcan = /^slcan:(.+?)(?::(\d+))?$/.exec(text);
  if (slcan) return slcanTarget(slcan[1], Number(slcan[2] ?? DEFAULT_BITRATE_BPS));
  // What other transports are written with.
  if (/^(slcan:|\w{2,}:\/\/|\/dev\/|COM\d+(:|$))/.test(text)) return undefined;
  if (/[./\\]/.test(text)) return { id: 'log', type: 'candump', file: resolve(text) };
  return /^[^\s/:]{1,15}$/.test(text) ? { id: 'can', type: 'socketcan', interface: text } : undefined;
}

function slcanTarget(port: string, bitrate: number): CanConnection | undefined {
  const bitrates: readonly number[] = SlcanConnection.properties.bitrate_bps.enum;
  if (!bitrates.includes(bitrate)) return undefined;
  return { id: 'can', type: 'slcan', port, bitrate_bps: bitrate as SlcanConnection['bitrate_bps'] };
}

async function scanLive(connection: CanConnection, terms: ScanTerms): Promise<Outcome> {
  const { clock, is_named, onProgress } = terms;
  const bus = openableBus(connection, clock, new VirtualCanHub());
  const { CanListener } = await import('./can-listen.ts');
  const listener = new CanListener(bus, clock);
  const { traffic } = listener;
  const seconds = terms.seconds ?? LISTEN_S;
  onProgress(`listening to ${bus.name} for ${seconds} s`);
  await listener.listen(1000 * seconds);
  const notes: string[] = listener.fault ? [listener.fault] : [];
  // A vehicle's diagnosis is asked only by who knows that it is one.
  const asked = terms.profiles.filter(({ can }) => can?.polls || (is_named && can?.iso_tp));
  // On a bus with errors the bit rate may be wrong: whatever is sent there disturbs the others.
  const is_quiet = traffic.frames === 0 && traffic.error_frames === 0;
  if (asked.length > 0 && (is_named || is_quiet)) {
    const names = asked.map(({ id }) => id).join(', ');
    const note = `${is_named ? 'named' : 'nothing spoke'}: sent the documented read requests of ${names}`;
    onProgress(note);
    notes.push(note);
    const ask_s = asked.some(({ can }) => can?.iso_tp) ? ASK_REPLIES_S : ASK_S;
    await listener.ask(asked, profile => addressesToAsk(profile, terms.units), 1000 * ask_s);
  }
  return fitted(connection, traffic, notes, terms);
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

async function fitted(
  connection: CanConnection,
  traffic: CanTraffic,
  notes: readonly string[],
  { profiles }: ScanTerms,
): Promise<Outcome> {
  const { frames, error_frames, unreadable_lines } = traffic;
  // Only who scans needs it.
  const { scanTraffic } = await import('./can-scan.ts');
  const findings = await scanTraffic(traffic, profiles);
  const received = { frames, error_frames, unreadable_lines, ids: traffic.summary() };
  return { received, notes, findings, connection };
}

function describeReceived(
  { frames, error_frames = 0, unreadable_lines = 0, ids = [] }: CanReceived,
  in_full: boolean,
): string[] {
  const extras = [
    ...(error_frames > 0 ? [`${error_frames} error frames`] : []),
    ...(unreadable_lines > 0 ? [`${unreadable_lines} lines unreadable`] : []),
  ];
  const lines = [[`received ${frames} frames of ${ids.length} ids`, ...extras].join(', ')];
  if (!in_full || ids.length === 0) return lines;
  const shown = ids
    .slice(0, MAX_IDS_SHOWN)
    .map(
      one => `${one.id} (${one.frames}${one.period_ms === undefined ? '' : `, every ${one.period_ms} ms`})`,
    );
  const more = ids.length > MAX_IDS_SHOWN ? ` and ${ids.length - MAX_IDS_SHOWN} more` : '';
  return [...lines, `ids: ${shown.join(', ')}${more}`];
}

const ASK_BY_NAME =
  'devices that speak only when asked: name theirs, as --profile daly-can or, of a vehicle, --profile nissan-leaf ("asked" or "ISO-TP" in the table of the README)';

function whatToTry({ frames, error_frames = 0 }: CanReceived, connection: CanConnection): string[] {
  const rate = otherBitRate(connection);
  if (frames === 0)
    return [
      ...(error_frames > 0 ? [`only error frames: the bit rate is probably wrong; ${rate}`] : [rate]),
      'CAN-H and CAN-L, and 120 Ohm at both ends of the bus',
      'wake the battery; some speak only while an inverter or a charger does',
      ASK_BY_NAME,
    ];
  return [
    // A log is read to its end, and nothing can be asked of it.
    ...(connection.type === 'candump'
      ? ['a longer log; of a device that speaks only when asked, one taken while something asks it']
      : ['listen longer: --seconds 60', ASK_BY_NAME]),
    'a DBC file of the device: bms-gateway decode LOG --dbc FILE, then a profile of its own: docs/profiles.md',
  ];
}

function otherBitRate(connection: CanConnection): string {
  switch (connection.type) {
    case 'slcan': {
      const { port, bitrate_bps } = connection;
      const other = bitrate_bps === OTHER_BITRATE_BPS ? DEFAULT_BITRATE_BPS : OTHER_BITRATE_BPS;
      return `another bit rate: slcan:${port}:${other}`;
    }
    case 'socketcan': {
      const { interface: name } = connection;
      const up = `ip link set ${name} down; ip link set ${name} up type can bitrate ${OTHER_BITRATE_BPS}`;
      return `another bit rate, ${OTHER_BITRATE_BPS} or ${DEFAULT_BITRATE_BPS}: ${up}`;
    }
    case 'candump':
    case 'virtual-can':
      return 'a longer log, taken at the bit rate of the bus';
  }
}

function notesFor(connection: CanConnection, { can }: Profile): string[] {
  const bitrate = can?.bitrate;
  if (!bitrate) return [];
  if (connection.type === 'socketcan')
    return [`#   ip link set ${connection.interface} up type can bitrate ${bitrate}`];
  if (connection.type === 'candump')
    return [
      `# On the bus itself: { id: log, type: socketcan, interface: can0 }, brought up at ${bitrate} bit/s.`,
    ];
  return [];
}
