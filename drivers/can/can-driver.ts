import type { CanConnection } from '../connections.ts';
import type { Driver, DriverContext, PackBinding } from '../driver.ts';
import type { VirtualCanHub } from './virtual-bus.ts';

export function createCanDriver(
  _connection: CanConnection,
  _bindings: readonly PackBinding[],
  _context: DriverContext,
  _hub: VirtualCanHub,
): Driver {
  throw new Error('being built');
}
