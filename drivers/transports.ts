/** The table of transports. A further one is a folder and its lines here; the compiler says what else it needs. */
import Type, { type Static } from 'typebox';
import { canTransport } from './can/can-transport.ts';
import type { Driver, DriverContext, PackBinding } from './driver.ts';
import { modbusTransport } from './modbus/modbus-transport.ts';
import type { TransportName } from './profiles/profile.ts';
import type { Transport } from './transport.ts';

export const TRANSPORTS = {
  can: canTransport,
  modbus: modbusTransport,
} satisfies Record<TransportName, Transport>;

export const ConnectionConfig = Type.Union([...canTransport.connections, ...modbusTransport.connections]);
export type ConnectionConfig = Static<typeof ConnectionConfig>;

/** What connects devices and drivers inside the process; the simulator attaches its devices to the same. */
export type VirtualWires = {
  readonly [Name in TransportName]: ReturnType<(typeof TRANSPORTS)[Name]['makeWires']>;
};

const ENTRIES = Object.entries(TRANSPORTS) as [TransportName, Transport][];
const NAME_OF_TYPE: ReadonlyMap<string, TransportName> = new Map(
  ENTRIES.flatMap(([name, { connections }]) => connections.map(schema => [typeIn(schema), name] as const)),
);

function typeIn({ properties }: Transport['connections'][number]): string {
  return (properties.type as Type.TLiteral<string>).const;
}

export function makeWires(): VirtualWires {
  return Object.fromEntries(
    ENTRIES.map(([name, transport]) => [name, transport.makeWires()]),
  ) as VirtualWires;
}

/** Which profiles a connection can carry. */
export function transportNameOf({ type }: ConnectionConfig): TransportName {
  return NAME_OF_TYPE.get(type)!;
}

export function transportOf(connection: ConnectionConfig): Transport<ConnectionConfig> {
  return transportNamed(transportNameOf(connection));
}

export function transportNamed(name: TransportName): Transport<ConnectionConfig> {
  return TRANSPORTS[name] as Transport<ConnectionConfig>;
}

export function allTransports(): readonly (readonly [TransportName, Transport<ConnectionConfig>])[] {
  return ENTRIES as [TransportName, Transport<ConnectionConfig>][];
}

/** Inside the process, with devices of the simulator. */
export function isVirtual(connection: ConnectionConfig): boolean {
  return transportOf(connection).virtual_type === connection.type;
}

export function createDriver(
  connection: ConnectionConfig,
  bindings: readonly PackBinding[],
  context: DriverContext,
  wires: VirtualWires,
): Driver {
  const name = transportNameOf(connection);
  return transportNamed(name).createDriver(connection, bindings, context, wires[name]);
}
