/** `bms-gateway decode LOG --dbc FILE`: every frame of a log as the DBC file names it. */
import { canKey, formatCanId, j1939Mask } from '../../drivers/can/can-bus.ts';
import type { CandumpLine } from '../../drivers/can/candump-replay.ts';
import type { Dbc } from '../../drivers/can/dbc/dbc-model.ts';
import { decodeDbcBytes, parseDbc } from '../../drivers/can/dbc/dbc-parser.ts';
import { MessageDecoder } from '../../drivers/can/dbc/message-decoder.ts';
import { readLogFrames } from '../../drivers/can/log-files.ts';
import { readNamedFile } from './named-files.ts';
import { UsageError } from './usage.ts';

/** A file that is no DBC at all has nothing but oddities. */
const MAX_WARNINGS = 50;

/** Yields lines to print: warnings of the DBC file, one line per frame, a summary of what was not decoded. */
export async function* decodeWithDbc(log_file: string, dbc_file: string): AsyncGenerator<string> {
  const dbc = parseDbc(decodeDbcBytes(readNamedFile(dbc_file)));
  for (const { line, text } of dbc.warnings.slice(0, MAX_WARNINGS)) yield `${dbc_file}:${line} ${text}`;
  if (dbc.warnings.length > MAX_WARNINGS)
    yield `${dbc_file}: ${dbc.warnings.length - MAX_WARNINGS} more lines that could not be taken as they stand`;
  if (dbc.messages.length === 0) throw new UsageError(`${dbc_file}: no message in it, expected a DBC file`);
  const find = finderOf(dbc);
  const unknown = new Map<string, number>();
  let decoded = 0;
  let remote = 0;
  let errors = 0;
  const counts = { lines: 0, unreadable: 0 };
  for await (const frame of readLogFrames(log_file, counts)) {
    if (frame.error) errors++;
    else if (frame.remote) remote++;
    if (frame.error || frame.remote) continue;
    const decoder = find(frame);
    if (!decoder) {
      const id = formatCanId(frame.id, frame.extended);
      unknown.set(id, (unknown.get(id) ?? 0) + 1);
      continue;
    }
    decoded++;
    yield `(${frame.t_s.toFixed(6)}) ${frame.interface} ${describe(decoder, frame)}`;
  }
  const ids = [...unknown].map(([id, count]) => `${id} (${count})`);
  const others = [
    ...(remote > 0 ? [`${remote} remote frames`] : []),
    ...(errors > 0 ? [`${errors} error frames`] : []),
    `${counts.unreadable} lines unreadable`,
  ];
  yield `${decoded} frames decoded, ${sum(unknown.values())} of unknown ids, ${others.join(', ')}`;
  if (ids.length > 0) yield `unknown ids: ${ids.join(', ')}`;
}

/** By exact id; parameter groups of J1939 whatever their priority, source and destination. */
function finderOf({ messages }: Dbc): (frame: CandumpLine) => MessageDecoder | undefined {
  const decoders = new Map<number, MessageDecoder>();
  const groups = new Map<number, MessageDecoder>();
  for (const message of messages) {
    const { id, extended, j1939 } = message;
    const decoder = new MessageDecoder(message);
    decoders.set(canKey(id, extended), decoder);
    if (j1939) groups.set(id & j1939Mask(id), decoder);
  }
  return ({ id, extended }) =>
    decoders.get(canKey(id, extended)) ?? (extended ? groups.get(id & j1939Mask(id)) : undefined);
}

function describe(decoder: MessageDecoder, { id, extended, data }: CandumpLine): string {
  decoder.decode(data, data.length);
  const { message, values, carried, carried_count } = decoder;
  const parts: string[] = [];
  for (let i = 0; i < carried_count; i++) {
    const signal = message.signals[carried[i]];
    const value = values[carried[i]];
    const name = signal.choices?.get(Math.round((value - signal.offset) / signal.scale));
    const exact = Number.isSafeInteger(value) ? undefined : decoder.exact(carried[i], data, data.length);
    const number = exact ?? Number(value.toPrecision(12));
    parts.push(oneLine(`${signal.name}=${number}${signal.unit}${name ? ` (${name})` : ''}`));
  }
  const short =
    data.length < decoder.needed_bytes ? ` [${data.length} of ${decoder.needed_bytes} bytes]` : '';
  return `${formatCanId(id, extended)} ${message.name}${short} ${parts.join(' ')}`;
}

/** A DBC may hold a line break in a unit or a name of a value. */
const oneLine = (text: string) => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');

const sum = (counts: Iterable<number>) => [...counts].reduce((a, b) => a + b, 0);
