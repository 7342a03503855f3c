/** `bms-gateway profiles draft --dbc FILE`: a first CAN profile from a vendor's DBC. */
import { basename } from 'node:path';
import { CELL_METRICS, PACK_METRICS, SENSOR_METRIC } from '../../../core/metrics.ts';
import { unitDivisor } from '../../../drivers/can/can-profile.ts';
import type { DbcMessage, DbcSignal } from '../../../drivers/can/dbc/dbc-model.ts';
import { decodeDbcBytes, parseDbc } from '../../../drivers/can/dbc/dbc-parser.ts';
import { ABOUT, CURRENT_SIGN, type Draft, draftText, headOf } from './draft.ts';
import { meaningOf } from './meaning.ts';

interface Place {
  readonly message: DbcMessage;
  readonly signal: DbcSignal;
}
interface Numbered extends Place {
  readonly pattern: string;
  readonly number: number;
}

const FILE_NAME = /^[A-Za-z0-9._-]+\.dbc$/;

export function draftDbc(file: string, bytes: Uint8Array, id: string): Draft {
  const dbc = parseDbc(decodeDbcBytes(bytes));
  const open: string[] = dbc.warnings.slice(0, 50).map(({ line, text }) => `${file}:${line} ${text}`);
  if (dbc.messages.length === 0)
    return { text: '', open: [`${file}: found no message, expected a DBC file`, ...open] };
  const messages: Record<string, { pack: Record<string, unknown> }> = {};
  const taken = new Set<string>();
  const cells: Numbered[] = [];
  const sensors: Numbered[] = [];
  const skip = ({ message, signal }: Place, why: string) =>
    open.push(`${message.name}.${signal.name}: ${why}`);
  const seen = new Set<string>();
  for (const message of dbc.messages) {
    if (seen.has(message.name)) {
      open.push(`${message.name}: a second message of this name, left out`);
      continue;
    }
    seen.add(message.name);
    for (const signal of message.signals) {
      const place = { message, signal };
      const meaning = meaningOf(signal.name, signal.unit);
      if ('why' in meaning) {
        if (!signal.multiplexer) skip(place, meaning.why);
        continue;
      }
      const metric =
        meaning.scope === 'pack'
          ? PACK_METRICS.find(({ name }) => name === meaning.metric)!
          : meaning.scope === 'cell'
            ? CELL_METRICS[0]
            : SENSOR_METRIC;
      if (unitDivisor(metric, signal.unit) === undefined) {
        skip(
          place,
          `likely ${metric.name}, but the unit "${signal.unit}" does not say so: put it right in the DBC`,
        );
      } else if (meaning.scope !== 'pack') {
        const numbered = numberedFrom(place);
        if (!numbered || meaning.first !== meaning.last) skip(place, 'several numbers in its name');
        else (meaning.scope === 'cell' ? cells : sensors).push(numbered);
      } else if (taken.has(metric.name)) skip(place, `a second ${metric.name}; the first one was taken`);
      else {
        taken.add(metric.name);
        const is_current = metric.name === 'current_a';
        messages[message.name] ??= { pack: {} };
        messages[message.name].pack[metric.name] = is_current
          ? { signal: signal.name, negate_when: CURRENT_SIGN }
          : signal.name;
      }
    }
  }
  const cellRow = rowOf(cells, skip);
  const sensorRow = rowOf(sensors, skip);
  for (const name of [...(cellRow?.messages ?? []), ...(sensorRow?.messages ?? [])])
    messages[name] ??= { pack: {} };
  const has_current = taken.has('current_a');
  if (has_current) open.push('the sign of the current is an option: compare once with the charger running');
  if (!taken.has('voltage_v')) open.push('no voltage of the pack was found');
  if (dbc.messages.every(({ cycle_ms }) => cycle_ms === undefined))
    open.push(
      'the DBC gives no periods (GenMsgCycleTime): values are stale after 10 s; write `stale_ms` where that is wrong',
    );
  open.push(
    'bit rate: not in a DBC; write `bitrate`, and `id_plus_address` where several devices share a bus',
  );
  const name = FILE_NAME.test(basename(file)) ? basename(file) : `${id}.dbc`;
  open.push(`the DBC must lie beside the profile, as ${name}`);
  const profile = {
    ...headOf({
      id,
      source: `Drafted from ${basename(file)}`,
      transport: 'can',
      cells: cellRow?.count ?? 0,
      sensors: sensorRow?.count ?? 0,
      has_current,
    }),
    can: {
      dbc: name,
      messages: Object.fromEntries(
        Object.entries(messages).map(([message, { pack }]) => [
          message,
          Object.keys(pack).length > 0 ? { pack } : {},
        ]),
      ),
      ...(cellRow && { cells: { voltage_v: { signals: cellRow.pattern, first: cellRow.first } } }),
      ...(sensorRow && { sensors: { signals: sensorRow.pattern, first: sensorRow.first } }),
    },
  };
  return { text: draftText(profile, ABOUT, open), open };
}

/** `Cell07_V` is number 7 of `Cell{nn}_V`; the last number of a name counts. */
function numberedFrom(place: Place): Numbered | undefined {
  const { name } = place.signal;
  const [, before, digits, after] = /^(.*?)(\d+)(\D*)$/.exec(name) ?? [];
  if (digits === undefined || /[{}]/.test(name)) return undefined;
  const padded = digits.length > 1 && digits.startsWith('0');
  const pattern = `${before}{${'n'.repeat(padded ? digits.length : 1)}}${after}`;
  return { ...place, pattern, number: Number(digits) };
}

interface NamedRow {
  readonly pattern: string;
  readonly first: number;
  readonly count: number;
  readonly messages: readonly string[];
}

/** The longest row; other rows, and numbers after a missing one, are listed as left out. */
function rowOf(
  numbered: readonly Numbered[],
  skip: (place: Place, why: string) => void,
): NamedRow | undefined {
  if (numbered.length === 0) return undefined;
  const byPattern = Map.groupBy(withPadding(numbered), one => one.pattern);
  const [pattern, longest] = [...byPattern].reduce((best, next) =>
    next[1].length > best[1].length ? next : best,
  );
  const first = Math.min(...longest.map(({ number }) => number));
  const have = new Map(longest.map(one => [one.number, one]));
  let count = 0;
  while (have.has(first + count)) count++;
  for (const one of numbered)
    if (!longest.some(({ signal }) => signal === one.signal)) skip(one, `another row than ${pattern}`);
    else if (one.number >= first + count) skip(one, `number ${first + count} is missing before it`);
  const messages = longest.filter(({ number }) => number < first + count).map(({ message }) => message.name);
  return { pattern, first, count, messages };
}

/** `Cell01` to `Cell16` are one row: 10 to 16 are as wide as those that show their padding. */
function withPadding(numbered: readonly Numbered[]): Numbered[] {
  const padded = new Set(numbered.map(({ pattern }) => pattern).filter(pattern => pattern.includes('{nn')));
  return numbered.map(one => {
    const width = String(one.number).length;
    const wide = one.pattern.replace('{n}', `{${'n'.repeat(width)}}`);
    return width > 1 && padded.has(wide) ? { ...one, pattern: wide } : one;
  });
}
