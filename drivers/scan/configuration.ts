/** The configuration file that reads what a scan found, for a person to paste and complete. */
import { stringify } from 'yaml';
import type { Profile } from '../profiles/profile.ts';
import { type ConnectionConfig, transportOf } from '../transports.ts';
import { type Finding, SURE_PCT } from './finding.ts';

/** Only lithium iron phosphate stays below this; in between nobody can say. */
const LFP_BELOW_V = 3.5;
const NMC_ABOVE_V = 3.68;

/** Undefined where nothing is sure enough. */
export function configurationFor(
  connection: ConnectionConfig,
  findings: readonly Finding[],
  profiles: ReadonlyMap<string, Profile>,
): string | undefined {
  const sure = oneProfilePerAddress(findings.filter(({ confidence_pct }) => confidence_pct >= SURE_PCT));
  if (sure.length === 0) return undefined;
  const chemistry = chemistryOf(sure);
  const document = {
    site: { id: 'site', name: 'My site' },
    connections: [connection],
    batteries: [
      {
        id: 'battery',
        name: 'Battery',
        ...(chemistry && { chemistry }),
        packs: sure.map((finding, i) => packOf(finding, i + 1, connection.id, profiles)),
      },
    ],
  };
  return [...notes(connection, sure, profiles), stringify(document, { lineWidth: 110 })].join('\n');
}

/** Devices without an address cannot stand twice on one bus. */
function oneProfilePerAddress(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ profile, address }) => {
    const key = `${profile} ${address}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

function packOf(
  { profile, address, cells, sensors, options }: Finding,
  number: number,
  connection: string,
  profiles: ReadonlyMap<string, Profile>,
): Record<string, unknown> {
  return {
    id: `pack-${number}`,
    name: `Pack ${number}`,
    connection,
    profile,
    ...(address !== undefined && { address }),
    cells,
    ...(profiles.get(profile)?.sensors && { sensors }),
    ...(options && { options }),
  };
}

function chemistryOf(findings: readonly Finding[]): 'lfp' | 'nmc' | undefined {
  const highest = Math.max(...findings.map(({ cell_voltage_max_v }) => cell_voltage_max_v ?? Number.NaN));
  if (highest > NMC_ABOVE_V) return 'nmc';
  return highest < LFP_BELOW_V ? 'lfp' : undefined;
}

function notes(
  connection: ConnectionConfig,
  findings: readonly Finding[],
  profiles: ReadonlyMap<string, Profile>,
): string[] {
  const profile = profiles.get(findings[0].profile);
  return [
    '# Found by scanning. Compare cells, chemistry and the sign of the current with the battery, then keep it.',
    ...(profile ? transportOf(connection).scanner.notesFor(connection, profile) : []),
  ];
}
