/** `bms-gateway profiles [ID]`: which devices can be read, and what a profile says of one. */
import { canProfileOf, framesName } from '../../drivers/can/can-profile.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { table } from './table.ts';
import { UsageError } from './usage.ts';

export function listProfiles(profiles: ReadonlyMap<string, Profile>): string[] {
  const rows = [...profiles.values()].map(profile => [
    profile.id,
    profile.transport,
    cellsOf(profile),
    profile.title,
  ]);
  return table([['profile', 'bus', 'cells', 'device'], ...rows]);
}

/** Everything a person must know to use one profile. UsageError names the profiles there are. */
export function explainProfile(profiles: ReadonlyMap<string, Profile>, id: string): string[] {
  const profile = profiles.get(id);
  if (!profile) throw new UsageError(`no profile "${id}"; there are ${[...profiles.keys()].join(', ')}`);
  const { address } = profile;
  const facts = [
    ['vendor', profile.vendor],
    ['models', profile.models.join('; ') || 'not said'],
    ['bus', busOf(profile)],
    [
      'address',
      address ? `${address.min} to ${address.max}, default ${address.default}` : 'none: one device per bus',
    ],
    ['cells', cellsOf(profile)],
    ['sensors', profile.sensors?.max ? `up to ${profile.sensors.max}` : 'none beside the cells'],
    ['source', oneLine(profile.source)],
  ];
  const options = Object.entries(profile.options ?? {}).flatMap(([name, option]) => [
    `  ${name}: ${option.values.join(' | ')} (default ${option.default})`,
    `    ${oneLine(option.doc)}`,
  ]);
  const alarms = (profile.device_alarms ?? []).map(alarm => [`  ${alarm.code}`, alarm.label]);
  return [
    `${profile.id}: ${profile.title}`,
    ...table(facts.map(([name, text]) => [`  ${name}`, text])),
    ...(options.length > 0 ? ['options', ...options] : []),
    ...(alarms.length > 0 ? ["the device's own alarms", ...table(alarms)] : []),
    ...dbcWarnings(profile),
  ];
}

/** What in the DBC could not be taken as it stands; the profile needs none of it. */
function dbcWarnings(profile: Profile): string[] {
  const { can } = profile;
  if (!can) return [];
  const { warnings } = canProfileOf(profile).dbc;
  const lines = warnings.map(({ line, text }) => `  ${framesName(can)}:${line} ${text}`);
  return lines.length > 0 ? ['passed over in its DBC', ...lines] : [];
}

function busOf({ transport, can }: Profile): string {
  if (!can) return transport;
  return can.bitrate === undefined
    ? 'can, bit rate not known'
    : `can, ${(can.bitrate / 1000).toLocaleString('en')} kbit/s`;
}

function cellsOf(profile: Profile): string {
  return profile.cells.max === 0 ? 'pack only' : `up to ${profile.cells.max}`;
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
