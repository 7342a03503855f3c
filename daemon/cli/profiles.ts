/** `bms-gateway profiles [ID]`: which devices can be read, and what a profile says of one. */
import { canProfileOf, framesName } from '../../drivers/can/can-profile.ts';
import { GRADE_MEANS } from '../../drivers/profiles/grade.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { whatIsRead } from '../../drivers/profiles/what-is-read.ts';
import { table } from './table.ts';
import { UsageError } from './usage.ts';

export function listProfiles(profiles: ReadonlyMap<string, Profile>): string[] {
  const rows = [...profiles.values()].map(profile => [
    profile.id,
    profile.transport,
    cellsOf(profile),
    profile.grade ?? '-',
    profile.title,
  ]);
  return table([['profile', 'bus', 'cells', 'grade', 'device'], ...rows]);
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
    ['grade', profile.grade ? `${profile.grade}: ${GRADE_MEANS[profile.grade]}` : 'none'],
    ...(profile.wiring ? [['wiring', oneLine(profile.wiring)]] : []),
    ['reads', describeRead(profile)],
  ];
  const options = Object.entries(profile.options ?? {}).flatMap(([name, option]) => [
    `  ${name}: ${option.values.join(' | ')} (default ${option.default})`,
    `    ${oneLine(option.doc)}`,
  ]);
  const alarms = (profile.device_alarms ?? []).map(alarm => [`  ${alarm.code}`, alarm.label]);
  return [
    `${profile.id}: ${profile.title}`,
    ...table(facts.map(([name, text]) => [`  ${name}`, text])),
    ...listed('settings of the device', profile.device_settings),
    ...listed('what is known to go wrong', profile.known_issues),
    ...listed(
      'read on real hardware',
      profile.hardware_reports?.map(({ by, on, device }) => `${device}, by ${by}, ${on}`),
    ),
    ...(options.length > 0 ? ['options', ...options] : []),
    ...(alarms.length > 0 ? ["the device's own alarms", ...table(alarms)] : []),
    ...dbcWarnings(profile),
  ];
}

/** What the gateway reads of the device, in one line. */
export function describeRead(profile: Profile): string {
  const { pack, cells, sensors, alarms } = whatIsRead(profile);
  return [
    pack.join(', ') || 'no value of the pack',
    ...(profile.cells.max > 0 ? [`of up to ${profile.cells.max} cells: ${cells.join(', ')}`] : []),
    ...(sensors > 0 ? [`up to ${sensors} temperature sensors`] : []),
    ...(alarms > 0 ? [`${alarms} alarms of its own`] : []),
  ].join('; ');
}

function listed(title: string, sentences: readonly string[] | undefined): string[] {
  return sentences ? [title, ...sentences.map(sentence => `  ${oneLine(sentence)}`)] : [];
}

/** What in the DBC could not be taken as it stands; the profile needs none of it. */
function dbcWarnings(profile: Profile): string[] {
  const { can } = profile;
  if (!can) return [];
  const { warnings } = canProfileOf(profile).dbc;
  const lines = warnings.map(({ line, text }) => `  ${framesName(can)}:${line} ${text}`);
  return lines.length > 0 ? ['passed over in its DBC', ...lines] : [];
}

export function busOf({ transport, can }: Profile): string {
  if (!can) return transport;
  return can.bitrate === undefined
    ? 'can, bit rate not known'
    : `can, ${(can.bitrate / 1000).toLocaleString('en')} kbit/s`;
}

export function cellsOf(profile: Profile): string {
  return profile.cells.max === 0 ? 'pack only' : `up to ${profile.cells.max}`;
}

export const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
