/** Simulated packs on Modbus: units that answer, and where they are served. */
import type { PackBinding } from '../../drivers/driver.ts';
import { DEFAULT_BAUD_RATE, DEFAULT_PORT } from '../../drivers/modbus/open-wire.ts';
import { modbusScanner } from '../../drivers/modbus/scan/modbus-scanner.ts';
import { createUnitImage } from '../../drivers/modbus/unit-image.ts';
import { unitOf } from '../../drivers/modbus/units-of-connection.ts';
import type { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';
import type { AnswerUnit, Bridge } from '../serve/bridge.ts';
import { PTY_FORM, type PtyTarget, parsePty, pseudoTerminal, serialPort } from '../serve/streams.ts';
import type {
  DeviceSource,
  ServedConnection,
  SimulatedTransport,
  VirtualDevice,
} from '../simulated-transport.ts';
import { ModbusLineBridge, ModbusServerBridge } from './modbus-bridges.ts';

export type ModbusServeTarget =
  | { readonly kind: 'tcp' | 'rtu-tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'serial'; readonly port: string; readonly baud_rate: number }
  | PtyTarget;

export const simulatedModbus: SimulatedTransport<ModbusServeTarget, VirtualModbusHub> = {
  serve_forms: [
    {
      form: 'tcp://host[:port]',
      about: `Modbus TCP (default port ${DEFAULT_PORT}; 0: any free one, printed)`,
    },
    { form: 'rtu://host:port', about: 'Modbus RTU frames over TCP, as behind a serial server' },
    {
      form: '/dev/ttyS0[:baud]',
      about: `Modbus RTU on a serial port, 8N1 (default ${DEFAULT_BAUD_RATE})`,
    },
    { form: PTY_FORM, about: 'Modbus RTU on a pseudo terminal' },
  ],
  attachDevice,
  placeOf: binding => `unit ${unitOf(binding)}`,
  parseServeTarget,
  makeBridge,
};

function attachDevice(
  connection_id: string,
  binding: PackBinding,
  source: DeviceSource,
  hub: VirtualModbusHub,
): VirtualDevice {
  const { image, write } = createUnitImage(binding);
  write(source.reading);
  const detach = hub.attach(connection_id, unitOf(binding), pdu =>
    source.isDead() ? undefined : image.answer(pdu),
  );
  return {
    broadcasts: false,
    publish() {
      if (!source.isDead()) write(source.reading);
    },
    detach,
  };
}

/** Those of a scan, and a pseudo terminal. */
function parseServeTarget(text: string): ModbusServeTarget | undefined {
  const pty = parsePty(text);
  if (pty) return pty;
  const connection = modbusScanner.parseTarget(text);
  switch (connection?.type) {
    case 'modbus-tcp':
      return { kind: 'tcp', host: connection.host, port: connection.port ?? DEFAULT_PORT };
    case 'modbus-rtu-tcp':
      return { kind: 'rtu-tcp', host: connection.host, port: connection.port };
    case 'modbus-rtu': {
      const { port, baud_rate = DEFAULT_BAUD_RATE } = connection;
      return { kind: 'serial', port, baud_rate };
    }
    default:
      return undefined;
  }
}

function makeBridge(
  target: ModbusServeTarget,
  { connection_id, bindings, wires, clock, onLost }: ServedConnection<VirtualModbusHub>,
): Bridge {
  const answer: AnswerUnit = (unit, pdu) =>
    wires.has(connection_id, unit) ? wires.answer(connection_id, unit, pdu) : 'absent';
  const options = { answer, replyUnit: replyUnits(bindings), clock };
  switch (target.kind) {
    case 'tcp':
      return new ModbusServerBridge('tcp', target.host, target.port, options);
    case 'rtu-tcp':
      return new ModbusServerBridge('rtu', target.host, target.port, options);
    case 'serial':
      return new ModbusLineBridge(serialPort(target.port, target.baud_rate), options, onLost);
    case 'pty':
      return new ModbusLineBridge(pseudoTerminal(target.link, clock), options, onLost);
  }
}

/** By the unit that is asked; most devices answer as themselves. */
function replyUnits(bindings: readonly PackBinding[]): (unit: number) => number {
  const reply_unit = new Map(
    bindings.map(binding => {
      const unit = unitOf(binding);
      return [unit, (unit + (binding.profile.registers?.reply_unit_plus ?? 0)) & 0xff];
    }),
  );
  return unit => reply_unit.get(unit) ?? unit;
}
