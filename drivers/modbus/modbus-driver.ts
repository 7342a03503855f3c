import type { ModbusConnection } from '../connections.ts';
import type { Driver, DriverContext, PackBinding } from '../driver.ts';
import type { VirtualModbusHub } from './virtual-link.ts';

export function createModbusDriver(
  _connection: ModbusConnection,
  _bindings: readonly PackBinding[],
  _context: DriverContext,
  _hub: VirtualModbusHub,
): Driver {
  throw new Error('being built');
}
