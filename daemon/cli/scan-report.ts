/** The outcome of a scan as lines for a person: findings with their reasons, the configuration, what to try. */
import { type Finding, SURE_PCT } from '../../drivers/scan/finding.ts';
import type { ScanTarget } from '../../drivers/scan/target.ts';
import type { ReceivedSummary } from '../../drivers/scan/traffic.ts';
import { table } from './table.ts';

/** What was received or answered beside the findings. */
export interface Received {
  readonly frames?: number;
  readonly error_frames?: number;
  readonly unreadable_lines?: number;
  readonly ids?: readonly ReceivedSummary[];
  readonly answering_units?: readonly number[];
}

export interface ScanResult {
  readonly target: string;
  readonly received: Received;
  /** What was done beyond listening, and what to know of the result. */
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
  /** YAML; undefined where nothing is sure enough. */
  readonly configuration: string | undefined;
}

const MAX_IDS_SHOWN = 16;

export function describeScan(
  { received, notes, findings, configuration }: ScanResult,
  target: ScanTarget,
): string[] {
  const lines = [...describeReceived(received, configuration === undefined), ...notes, ''];
  if (findings.length > 0) {
    const rows = findings.map(({ profile, address, confidence_pct, title }) => [
      profile,
      address === undefined ? '-' : String(address),
      `${confidence_pct} %`,
      title,
    ]);
    const [head, ...body] = table([['profile', 'address', 'confidence', 'device'], ...rows]);
    lines.push(head);
    findings.forEach(({ why, contradictions }, i) => {
      lines.push(body[i], `  for      ${why.join(', ')}`);
      if (contradictions.length > 0) lines.push(`  against  ${contradictions.join(', ')}`);
    });
    lines.push('');
  }
  if (configuration !== undefined) return [...lines, ...configuration.split('\n')];
  return [
    ...lines,
    nothingFound(findings.length > 0),
    ...whatToTry(received, target).map(text => `- ${text}`),
  ];
}

function nothingFound(doubtful: boolean): string {
  return doubtful
    ? `no profile fits with ${SURE_PCT} % or more; what to try:`
    : 'no profile fits; what to try:';
}

function describeReceived(
  { frames, error_frames = 0, unreadable_lines = 0, ids = [], answering_units }: Received,
  in_full: boolean,
): string[] {
  if (answering_units) return [`units that answered: ${answering_units.join(', ')}`];
  const extras = [
    ...(error_frames > 0 ? [`${error_frames} error frames`] : []),
    ...(unreadable_lines > 0 ? [`${unreadable_lines} lines unreadable`] : []),
  ];
  const lines = [[`received ${frames ?? 0} frames of ${ids.length} ids`, ...extras].join(', ')];
  if (!in_full || ids.length === 0) return lines;
  const shown = ids
    .slice(0, MAX_IDS_SHOWN)
    .map(
      one => `${one.id} (${one.frames}${one.period_ms === undefined ? '' : `, every ${one.period_ms} ms`})`,
    );
  const more = ids.length > MAX_IDS_SHOWN ? ` and ${ids.length - MAX_IDS_SHOWN} more` : '';
  return [...lines, `ids: ${shown.join(', ')}${more}`];
}

function whatToTry({ frames = 0, error_frames = 0 }: Received, { kind, connection }: ScanTarget): string[] {
  if (kind === 'modbus')
    return ['other units: --units 1-16', 'the map of the device as a profile of its own: docs/profiles.md'];
  const rate =
    connection.type === 'slcan'
      ? `another bit rate: slcan:${connection.port}:${connection.bitrate_bps === 250_000 ? 500_000 : 250_000}`
      : connection.type === 'socketcan'
        ? `another bit rate, 250000 or 500000: ip link set ${connection.interface} down; ip link set ${connection.interface} up type can bitrate 250000`
        : 'a longer log, taken at the bit rate of the bus';
  if (frames === 0)
    return [
      ...(error_frames > 0 ? [`only error frames: the bit rate is probably wrong; ${rate}`] : [rate]),
      'CAN-H and CAN-L, and 120 Ohm at both ends of the bus',
      'wake the battery; some speak only while an inverter or a charger does',
      'devices that speak only when asked: --profile daly-can or --profile pylontech-hv',
    ];
  return [
    'listen longer: --seconds 60',
    'devices that speak only when asked: --profile daly-can or --profile pylontech-hv',
    'a DBC file of the device: bms-gateway decode LOG --dbc FILE, then a profile of its own: docs/profiles.md',
  ];
}
