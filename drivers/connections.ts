/** What a connection is in the configuration: one schema per kind, chosen by `type`. */
import Type, { type Static } from 'typebox';

/** An id, or a range in braces that stands for many: `rack-1-{01..10}`. */
const ID_PATTERN = '^([A-Za-z0-9][A-Za-z0-9_.-]{0,62})?(\\{\\d{1,6}\\.\\.\\d{1,6}\\}[A-Za-z0-9_.-]{0,62})?$';
export const RangedId = (description: string) =>
  Type.String({
    minLength: 1,
    pattern: ID_PATTERN,
    title: 'letters, digits, "_", "." or "-", with at most one range such as {01..10}',
    description,
  });

const Id = RangedId(
  'Name of the connection, unique; `{01..10}` stands for ten, each other key with such a range is expanded side by side',
);
const closed = { additionalProperties: false } as const;

/** A SocketCAN interface of the kernel: can0, vcan0, slcan0. Bit rate is set where the interface is brought up. */
export const SocketCanConnection = Type.Object(
  {
    id: Id,
    type: Type.Literal('socketcan', { description: 'A CAN interface of the kernel' }),
    interface: Type.String({
      pattern: '^[^\\s/]{1,15}$',
      title: 'at most 15 characters without space',
      description: 'Kernel interface, such as can0',
    }),
    silence_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 3_600_000,
        description: 'Bus counts as silent after this long without a frame (default 10000)',
      }),
    ),
  },
  closed,
);

/** Replay of a `candump -l` log: for trying a profile without hardware. */
export const CandumpConnection = Type.Object(
  {
    id: Id,
    type: Type.Literal('candump', {
      description: 'Replay of a candump -l log, for trying a profile without hardware',
    }),
    file: Type.String({ minLength: 1, description: 'Log file, relative to the configuration file' }),
    speed: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 1000, description: 'Times real time (default 1)' }),
    ),
    loop: Type.Optional(Type.Boolean({ description: 'Begin again at the end (default false)' })),
  },
  closed,
);

/** A USB adapter that speaks slcan (LAWICEL) on a serial port. */
export const SlcanConnection = Type.Object(
  {
    id: Id,
    type: Type.Literal('slcan', {
      description: 'A USB adapter that speaks slcan (LAWICEL), such as CANable',
    }),
    port: Type.String({
      minLength: 1,
      description: 'Serial port, best by its lasting name: /dev/serial/by-id/usb-...',
    }),
    bitrate_bps: Type.Enum([10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 800_000, 1_000_000], {
      description: 'Bit rate of the CAN bus, as the profile of its packs says',
    }),
    baud_rate: Type.Optional(
      Type.Integer({
        minimum: 9600,
        maximum: 12_000_000,
        description: 'Speed of the serial port; USB adapters ignore it (default 115200)',
      }),
    ),
    silence_ms: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 3_600_000, description: 'As with socketcan (default 10000)' }),
    ),
  },
  closed,
);

/** A bus inside the process, shared by name with the simulator's nodes. */
export const VirtualCanConnection = Type.Object(
  {
    id: Id,
    type: Type.Literal('virtual-can', { description: 'A CAN bus inside the process, for the simulation' }),
    silence_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 3_600_000,
        description: 'As with socketcan (default 10000)',
      }),
    ),
  },
  closed,
);

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

export const ConnectionConfig = Type.Union([
  SocketCanConnection,
  SlcanConnection,
  CandumpConnection,
  VirtualCanConnection,
  ModbusTcpConnection,
  ModbusRtuConnection,
  ModbusRtuTcpConnection,
  VirtualModbusConnection,
]);

export type SocketCanConnection = Static<typeof SocketCanConnection>;
export type SlcanConnection = Static<typeof SlcanConnection>;
export type CandumpConnection = Static<typeof CandumpConnection>;
export type VirtualCanConnection = Static<typeof VirtualCanConnection>;
export type ModbusTcpConnection = Static<typeof ModbusTcpConnection>;
export type ModbusRtuConnection = Static<typeof ModbusRtuConnection>;
export type ModbusRtuTcpConnection = Static<typeof ModbusRtuTcpConnection>;
export type VirtualModbusConnection = Static<typeof VirtualModbusConnection>;
export type ConnectionConfig = Static<typeof ConnectionConfig>;
export type CanConnection = SocketCanConnection | SlcanConnection | CandumpConnection | VirtualCanConnection;
export type ModbusConnection =
  | ModbusTcpConnection
  | ModbusRtuConnection
  | ModbusRtuTcpConnection
  | VirtualModbusConnection;

/** Which kind of profile a connection can carry. */
export function transportOf(type: ConnectionConfig['type']): 'can' | 'modbus' {
  return type.endsWith('can') || type === 'candump' ? 'can' : 'modbus';
}
