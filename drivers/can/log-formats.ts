/**
 * Logs of a CAN bus as people have them, line by line: candump's log (`candump -l`) and what it prints on the screen,
 * Vector ASC, PEAK TRC (1.0, 1.1, 1.3, 2.0, 2.1) and the CSV of SavvyCAN. Which one a file is, its lines show.
 *
 * Sources of the layouts: can-utils (lib.c), "CAN Log File Format" of Vector CANoe's help, PEAK's document "PCAN Trace File
 * Formats", and SavvyCAN's own export (framefileio.cpp).
 */
import { type CandumpLine, parseCandumpLine } from './candump-replay.ts';

export const LOG_FORMATS = 'candump -l, candump on the screen, .asc, .trc, SavvyCAN .csv; each also as .gz';

const ERROR_FLAG = 0x20000000;

/** `skip`: a line that belongs to the format and holds no frame; undefined: not of the format. */
type LineParser = (line: string) => CandumpLine | 'skip' | undefined;

export class LogLineParser {
  readonly #parsers: readonly LineParser[] = [
    parseCandumpLine,
    parseScreenLine,
    ascParser(),
    trcParser(),
    savvyCanParser(),
  ];
  #chosen: LineParser | undefined;

  /** A frame, `skip` for a line that holds none and is right so, undefined for one that cannot be read. */
  parse(line: string): CandumpLine | 'skip' | undefined {
    if (line.trim() === '') return 'skip';
    if (this.#chosen) return this.#chosen(line);
    let is_header = false;
    for (const parser of this.#parsers) {
      const parsed = parser(line);
      if (parsed === 'skip') is_header = true;
      // The first frame decides; heads of several formats look alike.
      else if (parsed) {
        this.#chosen = parser;
        return parsed;
      }
    }
    return is_header ? 'skip' : undefined;
  }
}

interface Parts {
  readonly t_s: number;
  readonly interface: string;
  readonly id: number;
  readonly extended: boolean;
  readonly bytes: readonly string[];
  readonly radix?: number;
  readonly remote?: boolean;
  readonly error?: boolean;
  readonly fd?: boolean;
}

/** Undefined where a number is out of its range. */
function frameOf(parts: Parts): CandumpLine | undefined {
  const { t_s, id, extended, bytes, radix = 16, remote = false, error = false, fd = false } = parts;
  const data = bytes.map(byte => (byte.length <= 3 ? Number.parseInt(byte, radix) : Number.NaN));
  if (!(t_s >= 0) || !(id >= 0 && id <= (extended ? 0x1fffffff : 0x7ff))) return undefined;
  if (data.length > (fd ? 64 : 8) || !data.every(byte => byte >= 0 && byte <= 0xff)) return undefined;
  return {
    t_s,
    interface: parts.interface,
    id,
    extended,
    remote,
    error,
    fd,
    data: Uint8Array.from(data),
  };
}

const words = (text: string) => (text.trim() === '' ? [] : text.trim().split(/[\s.]+/));

const SCREEN =
  /^\s*(?:\((\d+(?:\.\d+)?)\)|\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\))?\s*([A-Za-z][\w.-]*)\s+(?:(?:RX|TX)\s+\S\s+\S\s+)?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})\s+\[(\d{1,2})\]\s*(.*)$/;

/** `(1700000000.000000)  can0  18FF50E5   [8]  01 02 …  '…'`, with or without time; -x adds "RX - -". */
function parseScreenLine(line: string): CandumpLine | undefined {
  const match = SCREEN.exec(line);
  if (!match) return undefined;
  const [, seconds = '0', name, hex_id, length, rest] = match;
  const extended = hex_id.length === 8;
  const id = Number.parseInt(hex_id, 16);
  const error = (extended && (id & ERROR_FLAG) !== 0) || /ERRORFRAME/.test(rest);
  const remote = /remote request/.test(rest);
  const fd = length.length === 2;
  const bytes = remote ? [] : words(rest).slice(0, Number(length));
  if (!remote && bytes.length !== Number(length)) return undefined;
  const own_id = error ? id & 0x1fffffff : id;
  return frameOf({ t_s: Number(seconds), interface: name, id: own_id, extended, bytes, remote, error, fd });
}

const ASC_HEAD =
  /^\s*(date\b|base\b|internal events|\/\/|begin triggerblock|end triggerblock|start of measurement)/i;
const ASC_OTHER = /^\s*\d+\.\d+\s+(start of measurement|\d+\s+statistic|log trigger|can\s+\d+\s+status|sv:)/i;
const ASC_ERROR = /^\s*(\d+\.\d+)\s+(?:canfd\s+)?(\d+)\s+(?:\S+\s+)?errorframe/i;
const ASC_FRAME =
  /^\s*(\d+\.\d+)\s+(\d+)\s+([0-9A-Fa-f]+)(x?)\s+(?:Rx|Tx)\s+([drDR])\s*([0-9A-Fa-f]*)\s*(.*)$/;
const ASC_FD =
  /^\s*(\d+\.\d+)\s+CANFD\s+(\d+)\s+(?:Rx|Tx)\s+([0-9A-Fa-f]+)(x?)\s+(?:[A-Za-z_]\w*\s+)?[01]\s+[01]\s+[0-9A-Fa-f]\s+(\d+)\s*(.*)$/;

function ascParser(): LineParser {
  let radix = 16;
  return line => {
    if (/^\s*base\s+dec/i.test(line)) radix = 10;
    if (ASC_HEAD.test(line) || ASC_OTHER.test(line)) return 'skip';
    const error = ASC_ERROR.exec(line);
    if (error)
      return frameOf({
        t_s: Number(error[1]),
        interface: `can${error[2]}`,
        id: 0,
        extended: true,
        bytes: [],
        error: true,
      });
    const fd = ASC_FD.exec(line);
    if (fd) {
      const [, seconds, channel, id, x, length, rest] = fd;
      return frameOf({
        t_s: Number(seconds),
        interface: `can${channel}`,
        id: Number.parseInt(id, radix),
        radix,
        extended: x === 'x',
        bytes: words(rest).slice(0, Number(length)),
        fd: true,
      });
    }
    const match = ASC_FRAME.exec(line);
    if (!match) return undefined;
    const [, seconds, channel, id, x, kind, length, rest] = match;
    const remote = kind.toLowerCase() === 'r';
    const count = remote ? 0 : Number.parseInt(length, radix);
    const bytes = words(rest).slice(0, count);
    if (bytes.length !== count) return undefined;
    return frameOf({
      t_s: Number(seconds),
      interface: `can${channel}`,
      id: Number.parseInt(id, radix),
      extended: x === 'x',
      bytes,
      radix,
      remote,
    });
  };
}

/** Columns of version 2: number, offset in ms, type, bus, id, direction, reserved, length or code, data. */
const TRC_COLUMNS = 'N,O,T,I,d,L,D';
const TRC_1 =
  /^\s*\d+\)\s+(\d+(?:\.\d+)?)\s+(?:(\d+)\s+)?(?:(Rx|Tx|Warng|Error)\s+)?([0-9A-Fa-f]{4}|[0-9A-Fa-f]{8})\s+(?:-\s+)?(\d+)\s*(.*)$/;

function trcParser(): LineParser {
  let columns = TRC_COLUMNS.split(',');
  return line => {
    const head = /^\s*;\s*\$COLUMNS=(\S+)/.exec(line);
    if (head) columns = head[1].split(',');
    if (/^\s*;/.test(line)) return 'skip';
    const first = TRC_1.exec(line);
    if (first) {
      const [, ms, bus, kind, id, length, rest] = first;
      return trcFrame(
        Number(ms),
        bus ?? '1',
        id,
        kind === 'Warng' || kind === 'Error' ? 'ER' : 'DT',
        length,
        rest,
      );
    }
    const found = words_of(line);
    const data_at = columns.indexOf('D');
    const at = (name: string) => found[columns.indexOf(name)];
    if (found.length < data_at || !/^\d+$/.test(found[0] ?? '') || !/^[A-Z]{2}$/.test(at('T') ?? ''))
      return undefined;
    if (!['DT', 'FD', 'FB', 'FE', 'BI', 'RR', 'ER'].includes(at('T'))) return 'skip';
    const length = at('L') ?? at('l') ?? '0';
    return trcFrame(
      Number(at('O')),
      at('B') ?? '1',
      at('I'),
      at('T'),
      length,
      found.slice(data_at).join(' '),
    );
  };
}

const words_of = (line: string) => line.trim().split(/\s+/);

function trcFrame(ms: number, bus: string, id: string, type: string, length: string, rest: string) {
  const error = type === 'ER';
  const remote = type === 'RR' || /^RTR/.test(rest);
  const fd = ['FD', 'FB', 'FE', 'BI'].includes(type);
  const count = error || remote ? 0 : Number(length);
  const bytes = words(rest).slice(0, count);
  if (bytes.length !== count) return undefined;
  return frameOf({
    t_s: ms / 1000,
    interface: `can${bus}`,
    bytes,
    fd,
    error,
    remote,
    id: error ? 0 : Number.parseInt(id, 16),
    extended: error || id.length === 8,
  });
}

/** `Time Stamp,ID,Extended,Dir,Bus,LEN,D1,…`: microseconds, the id hexadecimal. Older versions have no Dir. */
function savvyCanParser(): LineParser {
  let columns: readonly string[] = [];
  return line => {
    const cells = line.split(',').map(cell => cell.trim());
    if (cells[0] === 'Time Stamp' && cells.includes('LEN')) {
      columns = cells;
      return 'skip';
    }
    if (columns.length === 0 || cells.length < columns.indexOf('LEN') + 1) return undefined;
    const at = (name: string) => cells[columns.indexOf(name)] ?? '';
    const count = Number(at('LEN'));
    const data_at = columns.indexOf('LEN') + 1;
    const bytes = cells.slice(data_at, data_at + count);
    if (!/^\d+$/.test(at('Time Stamp')) || !/^(0x)?[0-9A-Fa-f]+$/.test(at('ID')) || bytes.length !== count)
      return undefined;
    return frameOf({
      t_s: Number(at('Time Stamp')) / 1e6,
      interface: `can${at('Bus') || 0}`,
      bytes,
      fd: count > 8,
      id: Number.parseInt(at('ID'), 16),
      extended: at('Extended').toLowerCase() === 'true',
    });
  };
}
