/** From a target and a virtual connection to the gate between them. */
import type { Clock } from '../../core/clock/clock.ts';
import { SocketCanBus } from '../../drivers/can/socketcan-bus.ts';
import type { PackBinding } from '../../drivers/driver.ts';
import { unitOf } from '../../drivers/modbus/units-of-connection.ts';
import type { VirtualWires } from '../../drivers/registry.ts';
import { CanGate } from './can-gate.ts';
import type { AnswerUnit, Gate, OnGateLost } from './gate.ts';
import { LogGate } from './log-gate.ts';
import { ModbusLineGate, ModbusServerGate } from './modbus-gates.ts';
import type { ServeTarget } from './serve-target.ts';
import { SlcanGate } from './slcan-gate.ts';
import { pseudoTerminal, serialPort } from './streams.ts';

export interface ServedConnection {
  readonly connection_id: string;
  readonly transport: 'can' | 'modbus';
  readonly bindings: readonly PackBinding[];
  readonly wires: VirtualWires;
  readonly clock: Clock;
  /** A gate that was open can serve no longer. */
  readonly onLost: OnGateLost;
}

/** The target must fit the transport, see `servedTransport`. */
export function makeGate(target: ServeTarget, served: ServedConnection): Gate {
  return served.transport === 'can' ? canGate(target, served) : modbusGate(target, served);
}

function canGate(
  target: ServeTarget,
  { connection_id, bindings, wires, clock, onLost }: ServedConnection,
): Gate {
  const bus = wires.can.bus(connection_id);
  const bitrate_bps = bindings[0]?.profile.can?.bitrate;
  switch (target.kind) {
    case 'interface':
      return new CanGate(bus, new SocketCanBus(target.interface, clock), clock);
    case 'log':
      return new LogGate(bus, target.file, clock);
    case 'slcan':
      return new SlcanGate(bus, bitrate_bps, serialPort(target.port, target.baud_rate), onLost);
    case 'pty':
      return new SlcanGate(bus, bitrate_bps, pseudoTerminal(target.link, clock), onLost);
    default:
      throw new Error(`${target.kind} carries no CAN`);
  }
}

function modbusGate(target: ServeTarget, served: ServedConnection): Gate {
  const { connection_id, bindings, wires, clock, onLost } = served;
  const answer: AnswerUnit = (unit, pdu) =>
    wires.modbus.has(connection_id, unit) ? wires.modbus.answer(connection_id, unit, pdu) : 'absent';
  const options = { answer, replyUnit: replyUnits(bindings), clock };
  switch (target.kind) {
    case 'tcp':
      return new ModbusServerGate('tcp', target.host, target.port, options);
    case 'rtu-tcp':
      return new ModbusServerGate('rtu', target.host, target.port, options);
    case 'serial':
      return new ModbusLineGate(serialPort(target.port, target.baud_rate), options, onLost);
    case 'pty':
      return new ModbusLineGate(pseudoTerminal(target.link, clock), options, onLost);
    default:
      throw new Error(`${target.kind} carries no Modbus`);
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
