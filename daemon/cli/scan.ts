/**
 * `bms-gateway scan TARGET`: listens to a bus or asks a link, read-only, and says which profiles fit, how surely and
 * why, with the configuration to paste.
 */
import { systemClock } from '../../core/clock/system-clock.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { configurationFor } from '../../drivers/scan/configuration.ts';
import { parseTarget, TARGET_FORMS } from '../../drivers/scan/target.ts';
import { transportNamed, transportNameOf } from '../../drivers/transports.ts';
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

const MAX_UNIT = 255;

/** Exit code 0: a profile fits; 1: none does. @throws UsageError, GatewayError (nothing to listen on, no reply) */
export async function scan(
  command: ScanCommand,
  profiles: ReadonlyMap<string, Profile>,
): Promise<{ code: number; text: string }> {
  const { target = '' } = command;
  const asked = parseTarget(target);
  if (!asked) throw new UsageError(`scan: found "${target}", expected ${TARGET_FORMS}`);
  const named = command.profile === undefined ? undefined : profiles.get(command.profile);
  if (command.profile !== undefined && !named)
    throw new UsageError(`no profile "${command.profile}"; there are ${[...profiles.keys()].join(', ')}`);
  const transport = transportNameOf(asked);
  if (named && named.transport !== transport)
    throw new UsageError(`profile ${named.id} is for ${named.transport}, ${target} is ${transport}`);
  const { received, notes, findings, connection } = await transportNamed(transport).scanner.scan(asked, {
    profiles: named ? [named] : [...profiles.values()],
    is_named: named !== undefined,
    units: unitsIn(command.units),
    seconds: command.seconds,
    clock: systemClock,
    onProgress: line => process.stderr.write(`${line}\n`),
  });
  const configuration = configurationFor(connection, findings, profiles);
  const result: ScanResult = { target, received, notes, findings, configuration };
  const text = command.json ? JSON.stringify(result, null, 2) : describeScan(result, asked).join('\n');
  return { code: configuration === undefined ? 1 : 0, text: `${text.trimEnd()}\n` };
}

function unitsIn(text: string | undefined): number[] {
  if (text === undefined) return [];
  const match = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > last || last > MAX_UNIT)
    throw new UsageError(`--units: found "${text}", expected a unit or a range such as 1-16, up to 255`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
