/** Where virtual hardware is served, as a person writes it after `--listen`. */
import { parseTarget } from '../../drivers/scan/target.ts';

export type ServeTarget =
  | { readonly kind: 'interface'; readonly interface: string }
  | { readonly kind: 'log'; readonly file: string }
  | { readonly kind: 'slcan'; readonly port: string; readonly baud_rate: number }
  | { readonly kind: 'tcp' | 'rtu-tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'serial'; readonly port: string; readonly baud_rate: number }
  | { readonly kind: 'pty'; readonly link: string | undefined };

export const SERVE_FORMS =
  'vcan0, pty[:/path/of/link], slcan:/dev/ttyS0[:baud], log:FILE or log:- (CAN profiles); ' +
  'tcp://host[:port], rtu://host:port, /dev/ttyS0[:baud] or pty[:/path/of/link] (Modbus profiles)';

const SLCAN_BAUD = 115_200;

/** Undefined where the text is none of SERVE_FORMS. */
export function parseServeTarget(text: string): ServeTarget | undefined {
  const pty = /^pty(?::(.+))?$/.exec(text);
  if (pty) return { kind: 'pty', link: pty[1] };
  const log = /^log:(.+)$/.exec(text);
  if (log) return { kind: 'log', file: log[1] };
  const slcan = /^slcan:(.+?)(?::(\d{3,7}))?$/.exec(text);
  if (slcan) return { kind: 'slcan', port: slcan[1], baud_rate: Number(slcan[2] ?? SLCAN_BAUD) };
  const connection = parseTarget(text.replace(/^can:/, ''))?.connection;
  switch (connection?.type) {
    case 'socketcan':
      return { kind: 'interface', interface: connection.interface };
    case 'modbus-tcp':
      return { kind: 'tcp', host: connection.host, port: connection.port ?? 502 };
    case 'modbus-rtu-tcp':
      return { kind: 'rtu-tcp', host: connection.host, port: connection.port };
    case 'modbus-rtu':
      return { kind: 'serial', port: connection.port, baud_rate: connection.baud_rate ?? 9600 };
    default:
      return undefined;
  }
}

/** Which kind of profile can be served there; undefined: both. */
export function servedTransport({ kind }: ServeTarget): 'can' | 'modbus' | undefined {
  if (kind === 'pty') return undefined;
  return kind === 'interface' || kind === 'log' || kind === 'slcan' ? 'can' : 'modbus';
}
