/** From a target and a virtual connection to the bridge between them. */
import type { Clock } from '../../core/clock/clock.ts';
import { SocketCanBus } from '../../drivers/can/socketcan-bus.ts';
import type { PackBinding } from '../../drivers/driver.ts';
import { unitOf } from '../../drivers/modbus/units-of-connection.ts';
import type { VirtualWires } from '../../drivers/registry.ts';
import type { AnswerUnit, Bridge, OnBridgeLost } from './bridge.ts';
import { CanBridge } from './can-bridge.ts';
import { LogBridge } from './log-bridge.ts';
import { ModbusLineBridge, ModbusServerBridge } from './modbus-bridges.ts';
import type { ServeTarget } from './serve-target.ts';
import { SlcanBridge } from './slcan-bridge.ts';
import { pseudoTerminal, serialPort } from './streams.ts';

export interface ServedConnection {
  readonly connection_id: string;
  readonly transport: 'can' | 'modbus';
  readonly bindings: readonly PackBinding[];
  readonly wires: VirtualWires;
  readonly clock: Clock;
  /** A bridge that was open can serve no longer. */
  readonly onLost: OnBridgeLost;
}

/** The target must fit the transport, see `servedTransport`. */
export function makeBridge(target: ServeTarget, served: ServedConnection): Bridge {
  return served.transport === 'can' ? canBridge(target, served) : modbusBridge(target, served);
}

function canBridge(
  target: ServeTarget,
  { connection_id, bindings, wires, clock, onLost }: ServedConnection,
): Bridge {
  const bus = wires.can.bus(connection_id);
  const bitrate_bps = bindings[0]?.profile.can?.bitrate;
  switch (target.kind) {
    case 'interface':
      return new CanBridge(bus, new SocketCanBus(target.interface, clock), clock);
    case 'log':
      return new LogBridge(bus, target.file, clock);
    case 'slcan':
      return new SlcanBridge(bus, bitrate_bps, serialPort(target.port, target.baud_rate), onLost);
    case 'pty':
      return new SlcanBridge(bus, bitrate_bps, pseudoTerminal(target.link, clock), onLost);
    default:
      throw new Error(`${target.kind} carries no CAN`);
  }
}

function modbusBridge(target: ServeTarget, served: ServedConnection): Bridge {
  const { connection_id, bindings, wires, clock, onLost } = served;
  const answer: AnswerUnit = (unit, pdu) =>
    wires.modbus.has(connection_id, unit) ? wires.modbus.answer(connection_id, unit, pdu) : 'absent';
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
