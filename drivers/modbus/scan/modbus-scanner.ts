/** A scan of a Modbus link: it asks, with functions that read. */
import type { Scanner } from '../../scan/scanner.ts';
import type { ModbusConnection } from '../connections.ts';
import { DEFAULT_BAUD_RATE, DEFAULT_PORT } from '../open-wire.ts';
import { VirtualModbusHub } from '../virtual-link.ts';

export interface ModbusReceived {
  readonly answering_units: readonly number[];
}

const BUDGET_S = 120;

export const modbusScanner: Scanner<ModbusConnection, ModbusReceived> = {
  target_forms: '/dev/ttyUSB0[:baud], tcp://host[:port], rtu://host:port',
  parseTarget,
  async scan(connection, { profiles, units, seconds, clock, onProgress }) {
    // Only who scans needs it.
    const { scanModbus } = await import('./modbus-scan.ts');
    const { answering_units, left_out, ...outcome } = await scanModbus({
      connection,
      profiles,
      units,
      clock,
      hub: new VirtualModbusHub(),
      budget_ms: 1000 * (seconds ?? BUDGET_S),
      onProgress,
    });
    const notes = [
      'asked read-only (functions 1 to 4)',
      ...(left_out > 0 ? [`${left_out} profiles and units not tried for want of time; see --seconds`] : []),
    ];
    return {
      received: { answering_units },
      notes,
      findings: outcome.findings,
      connection: outcome.connection,
    };
  },
  describeReceived: ({ answering_units }) => [`units that answered: ${answering_units.join(', ')}`],
  whatToTry: () => [
    'other units: --units 1-16',
    'the map of the device as a profile of its own: docs/profiles.md',
  ],
  notesFor: () => [],
};

function parseTarget(text: string): ModbusConnection | undefined {
  if (/^(tcp|rtu):\/\//.test(text)) return overTcp(text);
  const [, port, baud] = /^(\/dev\/.+?|COM\d+)(?::(\d{3,7}))?$/.exec(text) ?? [];
  if (port === undefined) return undefined;
  return { id: 'rs485', type: 'modbus-rtu', port, baud_rate: Number(baud ?? DEFAULT_BAUD_RATE) };
}

function overTcp(text: string): ModbusConnection | undefined {
  // A URL of a scheme the parser knows nothing of keeps its host and port as they are.
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, pathname, search } = new URL(text);
  if (hostname === '' || (pathname !== '' && pathname !== '/') || search !== '') return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol === 'tcp:')
    return { id: 'link', type: 'modbus-tcp', host, port: Number(port || DEFAULT_PORT) };
  return port === '' ? undefined : { id: 'link', type: 'modbus-rtu-tcp', host, port: Number(port) };
}
