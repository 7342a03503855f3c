/** What a scan is pointed at, as a person writes it, and the connection of the configuration it stands for. */
import { resolve } from 'node:path';
import type {
  CandumpConnection,
  ModbusConnection,
  SlcanConnection,
  SocketCanConnection,
} from '../connections.ts';

export type ScanTarget =
  | { readonly kind: 'log'; readonly connection: CandumpConnection }
  | { readonly kind: 'can'; readonly connection: SocketCanConnection | SlcanConnection }
  | { readonly kind: 'modbus'; readonly connection: ModbusConnection };

export const TARGET_FORMS =
  'can0, FILE.log, /dev/ttyUSB0[:baud], slcan:/dev/ttyACM0[:bitrate], tcp://host[:port] or rtu://host:port';

const DEFAULT_TCP_PORT = 502;
const DEFAULT_BAUD = 9600;
const DEFAULT_BITRATE = 500_000;

/** Undefined where the text is none of TARGET_FORMS. */
export function parseTarget(text: string): ScanTarget | undefined {
  if (/^(tcp|rtu):\/\//.test(text)) return overTcp(text);
  const slcan = /^slcan:(.+?)(?::(\d+))?$/.exec(text);
  if (slcan) return slcanTarget(slcan[1], Number(slcan[2] ?? DEFAULT_BITRATE));
  const serial = /^(\/dev\/.+?|COM\d+)(?::(\d{3,7}))?$/.exec(text);
  if (serial) {
    const [, port, baud] = serial;
    return {
      kind: 'modbus',
      connection: { id: 'rs485', type: 'modbus-rtu', port, baud_rate: Number(baud ?? DEFAULT_BAUD) },
    };
  }
  if (/[./\\]/.test(text))
    return { kind: 'log', connection: { id: 'log', type: 'candump', file: resolve(text) } };
  if (/^[^\s/:]{1,15}$/.test(text))
    return { kind: 'can', connection: { id: 'can', type: 'socketcan', interface: text } };
  return undefined;
}

const BITRATES: readonly number[] = [
  10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 800_000, 1_000_000,
];

function slcanTarget(port: string, bitrate: number): ScanTarget | undefined {
  if (!BITRATES.includes(bitrate)) return undefined;
  const bitrate_bps = bitrate as SlcanConnection['bitrate_bps'];
  return { kind: 'can', connection: { id: 'can', type: 'slcan', port, bitrate_bps } };
}

function overTcp(text: string): ScanTarget | undefined {
  // A URL of a scheme the parser knows nothing of keeps its host and port as they are.
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, pathname, search } = new URL(text);
  if (hostname === '' || (pathname !== '' && pathname !== '/') || search !== '') return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol === 'tcp:')
    return {
      kind: 'modbus',
      connection: { id: 'link', type: 'modbus-tcp', host, port: Number(port || DEFAULT_TCP_PORT) },
    };
  if (port === '') return undefined;
  return { kind: 'modbus', connection: { id: 'link', type: 'modbus-rtu-tcp', host, port: Number(port) } };
}
