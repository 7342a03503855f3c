/** Modbus connections in the configuration: one schema for each `type`. */
import Type, { type Static } from 'typebox';
import { closed, Id } from '../connection-fields.ts';

const modbusTiming = {
  timeout_ms: Type.Optional(
    Type.Integer({ minimum: 10, maximum: 60_000, description: 'Wait for a reply (default 1000)' }),
  ),
  retries: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 10,
      description: 'Repeats of a request before the unit counts as not answering (default 1)',
    }),
  ),
  gap_ms: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 10_000, description: 'Pause between requests (default 0)' }),
  ),
};

/** What a gateway may get wrong in the header of each reply, where it always does. */
const oddHeaders = {
  reply_transaction: Type.Optional(
    Type.Enum(['same', 'next', 'zero', 'any'], {
      description:
        'Transaction id of replies: that of the request, one more, 0, or whatever. For gateways that cannot do otherwise: with `zero` and `any` only unit, function and length say which request a reply belongs to. Other than `same` has one request in flight, and `zero` and `any` a new connection after each time-out (default same)',
    }),
  ),
  reply_unit: Type.Optional(
    Type.Enum(['same', 'zero'], {
      description: 'Unit id of replies: that of the request, or also 0 (default same)',
    }),
  ),
  length_counts_crc: Type.Optional(
    Type.Boolean({
      description:
        'The gateway leaves the check sum of the serial line at the end of its replies, counted in their length; it is checked and taken off (default false)',
    }),
  ),
};

export const ModbusTcpConnection = Type.Object(
  {
    id: Id,
    type: Type.Literal('modbus-tcp', { description: 'Modbus TCP' }),
    host: Type.String({ minLength: 1, maxLength: 253, description: 'Name or address of the device' }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: 'TCP port (default 502)' })),
    ...modbusTiming,
    ...oddHeaders,
    max_in_flight: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 16,
        description:
          'Most requests sent before the first is answered. Raise it where the maker says how many the device or gateway takes: many take one, and drop, mix up or refuse the rest. Nothing overlaps where `gap_ms`, here or in a profile, asks for pauses; a connection that fails only with several in flight goes back to one, which is logged and counted (default 1)',
      }),
    ),
  },
  closed,
);

const echo = Type.Optional(
  Type.Boolean({ description: 'The adapter hears what it sends; the copy is taken off (default false)' }),
);

/** A serial line, RS485 or UART, through an adapter of this machine. */
export const ModbusRtuConnection = Type.Object(
  {
    id: Id,
    type: Type.Literal('modbus-rtu', { description: 'Modbus RTU on a serial port' }),
    port: Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Serial port, such as /dev/ttyUSB0; a name under /dev/serial/by-id lasts',
    }),
    baud_rate: Type.Optional(
      Type.Integer({ minimum: 300, maximum: 4_000_000, description: 'Bit/s (default 9600)' }),
    ),
    parity: Type.Optional(
      Type.Union([Type.Literal('none'), Type.Literal('even'), Type.Literal('odd')], {
        description: 'Parity (default none)',
      }),
    ),
    stop_bits: Type.Optional(
      Type.Union([Type.Literal(1), Type.Literal(2)], { description: 'Stop bits (default 1)' }),
    ),
    echo,
    ...modbusTiming,
  },
  closed,
);

/** RTU frames through a serial server that passes bytes on as they are. */
export const ModbusRtuTcpConnection = Type.Object(
  {
    id: Id,
    type: Type.Literal('modbus-rtu-tcp', {
      description: 'Modbus RTU frames over TCP, through a transparent serial server',
    }),
    host: Type.String({ minLength: 1, maxLength: 253, description: 'Name or address of the serial server' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'TCP port' }),
    echo,
    ...modbusTiming,
  },
  closed,
);

/** A Modbus link inside the process, shared by name with the simulator's units; carries real MBAP bytes. */
export const VirtualModbusConnection = Type.Object(
  {
    id: Id,
    type: Type.Literal('virtual-modbus', {
      description: 'A Modbus link inside the process, for the simulation',
    }),
    ...modbusTiming,
  },
  closed,
);

/** In the order in which the documentation lists them. */
export const MODBUS_CONNECTIONS = [
  ModbusTcpConnection,
  ModbusRtuConnection,
  ModbusRtuTcpConnection,
  VirtualModbusConnection,
] as const;

export type ModbusTcpConnection = Static<typeof ModbusTcpConnection>;
export type ModbusRtuConnection = Static<typeof ModbusRtuConnection>;
export type ModbusRtuTcpConnection = Static<typeof ModbusRtuTcpConnection>;
export type VirtualModbusConnection = Static<typeof VirtualModbusConnection>;
export type ModbusConnection =
  | ModbusTcpConnection
  | ModbusRtuConnection
  | ModbusRtuTcpConnection
  | VirtualModbusConnection;
