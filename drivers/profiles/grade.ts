/**
 * What bears a profile out. The grade stands in its file; that it is not more than what its golden frames show is
 * found out here, for tests and for the page about devices.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROFILE_GRADES, type ProfileGrade } from '../../core/topology/profile-grade.ts';
import type { Profile } from './profile.ts';

/** What each grade says, in one line. */
export const GRADE_MEANS: Readonly<Record<ProfileGrade, string>> = {
  bronze: 'checked against frames put together by a paper',
  silver: 'checked against frames recorded from real devices',
  gold: 'as silver; identity, alarms and limits are read, and no option is in doubt',
  platinum: 'as gold, and read on real hardware by somebody who said so',
};

/** A frame or reply whose meaning is known. */
export interface Golden {
  /** `device`: recorded from one; the source says where anybody can look it up. */
  readonly from: 'device' | 'paper';
  readonly source: string;
  readonly expect: {
    readonly pack?: Readonly<Record<string, number | null>>;
    readonly cells?: Readonly<Record<string, unknown>>;
    readonly alarms?: Readonly<Record<string, string>>;
    readonly no_alarm?: boolean;
  };
}

/** The golden frames beside a profile; none where there is no such file. */
export function goldenOf({ id, directory }: Profile): readonly Golden[] {
  const file = join(directory, `${id}.golden.json`);
  if (!existsSync(file)) return [];
  const entries = JSON.parse(readFileSync(file, 'utf8')) as (Golden | { replies: Golden[] })[];
  return entries.flatMap(entry => ('replies' in entry ? entry.replies : [entry]));
}

const LIMITS = /_limit_(a|v)$/;

/** What is missing for each grade; the grade that is borne out is the last before the first that lacks something. */
export function lacksOf(
  profile: Profile,
  golden: readonly Golden[],
): Readonly<Record<ProfileGrade, readonly string[]>> {
  const recorded = golden.filter(({ from }) => from === 'device');
  const isSeen = (what: (expect: Golden['expect']) => boolean) => recorded.some(one => what(one.expect));
  const named = (conditions: Readonly<Record<string, boolean>>) =>
    Object.keys(conditions).filter(name => !conditions[name]);
  const open = Object.entries(profile.options ?? {}).filter(
    ([, option]) => !option.settled && !option.selects_part,
  );
  return {
    bronze: named({ 'golden frames': golden.length > 0 }),
    silver: named({
      'recorded values of the pack': isSeen(({ pack = {} }) => Object.keys(pack).length > 0),
      'recorded cells': profile.cells.max === 0 || isSeen(({ cells = {} }) => Object.keys(cells).length > 0),
    }),
    gold: named({
      identity: profile.can?.identity !== undefined,
      'recorded alarms': isSeen(({ alarms, no_alarm }) => alarms !== undefined || no_alarm === true),
      'recorded limits': isSeen(({ pack = {} }) => Object.keys(pack).some(name => LIMITS.test(name))),
      ...Object.fromEntries(open.map(([name]) => [`option ${name}`, false])),
    }),
    platinum: named({ 'a report from real hardware': profile.hardware_reports !== undefined }),
  };
}

/** Undefined: not even bronze. */
export function gradeBorneOut(profile: Profile, golden: readonly Golden[]): ProfileGrade | undefined {
  const lacks = lacksOf(profile, golden);
  const first = PROFILE_GRADES.findIndex(grade => lacks[grade].length > 0);
  return PROFILE_GRADES[(first < 0 ? PROFILE_GRADES.length : first) - 1];
}
