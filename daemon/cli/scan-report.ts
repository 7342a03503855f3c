/** The outcome of a scan as lines for a person: findings with their reasons, the configuration, what to try. */
import { type Finding, SURE_PCT } from '../../drivers/scan/finding.ts';
import { type ConnectionConfig, transportOf } from '../../drivers/transports.ts';
import { table } from './table.ts';

export interface ScanResult {
  readonly target: string;
  /** What came beside the findings, as the transport says it. */
  readonly received: object;
  /** What was done beyond listening, and what to know of the result. */
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
  /** YAML; undefined where nothing is sure enough. */
  readonly configuration: string | undefined;
}

export function describeScan(
  { received, notes, findings, configuration }: ScanResult,
  connection: ConnectionConfig,
): string[] {
  const { scanner } = transportOf(connection);
  const lines = [...scanner.describeReceived(received, configuration === undefined), ...notes, ''];
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
    ...scanner.whatToTry(received, connection).map(text => `- ${text}`),
  ];
}

function nothingFound(doubtful: boolean): string {
  return doubtful
    ? `no profile fits with ${SURE_PCT} % or more; what to try:`
    : 'no profile fits; what to try:';
}
