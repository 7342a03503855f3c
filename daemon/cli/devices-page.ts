/** The generated parts of docs/devices.md, written from the profiles. */
import { PROFILE_GRADES } from '../../core/topology/profile-grade.ts';
import { GRADE_MEANS, goldenOf, lacksOf } from '../../drivers/profiles/grade.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { busOf, cellsOf, describeRead, oneLine } from './profiles.ts';

export function gradesTable(profiles: readonly Profile[]): string {
  const rows = PROFILE_GRADES.map(grade => [
    grade,
    GRADE_MEANS[grade],
    String(profiles.filter(profile => profile.grade === grade).length),
  ]);
  return markdown(['grade', 'the profile is', 'profiles'], rows);
}

export function devicesTable(profiles: readonly Profile[]): string {
  const rows = profiles.map(profile => [
    `[${profile.title}](#${profile.id})`,
    `\`${profile.id}\``,
    busOf(profile),
    cellsOf(profile),
    profile.grade ?? '-',
  ]);
  return markdown(['device', 'profile', 'bus', 'cells', 'grade'], rows);
}

/** One section a device, under the id of its profile. */
export function devicesReference(profiles: readonly Profile[]): string {
  return profiles.map(section).join('\n');
}

function section(profile: Profile): string {
  const lacks = lacksOf(profile, goldenOf(profile));
  const next = PROFILE_GRADES.find(grade => lacks[grade].length > 0);
  const grade = [
    profile.grade ?? 'none',
    ...(next ? [`for ${next} it lacks ${lacks[next].map(written).join(', ')}`] : []),
  ];
  const { address } = profile;
  const facts = [
    ['Models', profile.models.join('; ')],
    ['Wiring', oneLine(profile.wiring ?? 'not said')],
    [
      'Address',
      address ? `${address.min} to ${address.max}, default ${address.default}` : 'none: one device per bus',
    ],
    ['Read', describeRead(profile)],
    ['Grade', grade.join('; ')],
    ['Source', oneLine(profile.source)],
  ];
  const options = Object.entries(profile.options ?? {}).map(
    ([name, { values, default: fallback, doc }]) =>
      `\`${name}\` (${values.length > 8 ? `${values[0]} to ${values.at(-1)}` : values.join(', ')}; default ${fallback}): ${oneLine(doc)}`,
  );
  const reports = profile.hardware_reports?.map(({ by, on, device }) => `${device}, by ${by}, ${on}`);
  return [
    `### ${profile.id}`,
    '',
    `${profile.title}.`,
    '',
    ...facts.map(([name, text]) => `- **${name}:** ${text}`),
    ...list('Settings of the device', profile.device_settings),
    ...list('Options', options),
    ...list('Known to go wrong', profile.known_issues),
    ...list('Read on real hardware', reports),
    '',
  ].join('\n');
}

const written = (lack: string) => lack.replace(/^option (.*)$/, 'a settled `$1`');

function list(title: string, sentences: readonly string[] | undefined): string[] {
  if (!sentences || sentences.length === 0) return [];
  return [`- **${title}:**`, ...sentences.map(sentence => `  - ${oneLine(sentence)}`)];
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n');
}
