/** From a connection of the configuration to the driver that serves it. */

import { createCanDriver } from './can/can-driver.ts';
import type { VirtualCanHub } from './can/virtual-bus.ts';
import type { CanConnection, ConnectionConfig, ModbusConnection } from './connections.ts';
import { transportOf } from './connections.ts';
import type { Driver, DriverContext, PackBinding } from './driver.ts';
import { createModbusDriver } from './modbus/modbus-driver.ts';
import type { VirtualModbusHub } from './modbus/virtual-link.ts';

/** Buses and links inside the process, by connection id; the simulator attaches its devices to the same hubs. */
export interface VirtualWires {
  readonly can: VirtualCanHub;
  readonly modbus: VirtualModbusHub;
}

export function createDriver(
  connection: ConnectionConfig,
  bindings: readonly PackBinding[],
  context: DriverContext,
  wires: VirtualWires,
): Driver {
  return transportOf(connection.type) === 'can'
    ? createCanDriver(connection as CanConnection, bindings, context, wires.can)
    : createModbusDriver(connection as ModbusConnection, bindings, context, wires.modbus);
}
