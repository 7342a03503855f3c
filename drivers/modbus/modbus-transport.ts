/** Modbus as the rest of the gateway sees it. */
import { type Finding, type Problem, sortProblems } from '../../core/schema/problem.ts';
import type { PackBinding } from '../driver.ts';
import type { Profile } from '../profiles/profile.ts';
import type { Endpoint, Transport } from '../transport.ts';
import { MODBUS_CONNECTIONS, type ModbusConnection } from './connections.ts';
import { createModbusDriver } from './modbus-driver.ts';
import { DEFAULT_PORT } from './open-wire.ts';
import { registersFindings } from './registers/check-registers.ts';
import { modbusScanner } from './scan/modbus-scanner.ts';
import { slownessOf } from './slow-lines.ts';
import { unitOf } from './units-of-connection.ts';
import { VirtualModbusHub } from './virtual-link.ts';

export const modbusTransport = {
  title: 'Modbus',
  connections: MODBUS_CONNECTIONS,
  virtual_type: 'virtual-modbus',
  has_addresses_by_profile: false,
  scanner: modbusScanner,
  makeWires: () => new VirtualModbusHub(),
  createDriver: createModbusDriver,
  profileProblems,
  endpointOf,
  expectedAddress,
  slownessOf,
  describePacks,
} satisfies Transport<ModbusConnection, VirtualModbusHub>;

function profileProblems(profile: Profile, locate: (finding: Finding) => Problem): Problem[] {
  return sortProblems(registersFindings(profile).map(locate));
}

function endpointOf(connection: ModbusConnection): Endpoint | undefined {
  switch (connection.type) {
    case 'modbus-tcp':
    case 'modbus-rtu-tcp': {
      const { host, port = DEFAULT_PORT } = connection;
      return { key: 'host', name: `${host}:${port}`, is_file: false };
    }
    case 'modbus-rtu':
      return { key: 'port', name: connection.port, is_file: true };
    case 'virtual-modbus':
      return undefined;
  }
}

const MAX_UNIT_ID = 247;
/** By the Modbus TCP guide: the device itself, where there is no gateway. Some answer to it on a serial line, too. */
const UNIT_ID_OF_DEVICE = 255;

/** Above 247 Modbus keeps unit ids for itself. */
function expectedAddress(address: number): string | undefined {
  if (address <= MAX_UNIT_ID || address === UNIT_ID_OF_DEVICE) return undefined;
  return `a unit id of at most ${MAX_UNIT_ID}, as Modbus allows, or ${UNIT_ID_OF_DEVICE} for the device itself`;
}

function describePacks(bindings: readonly PackBinding[]): string[] {
  return [`unit ${bindings.map(unitOf).join(', ')}`];
}
