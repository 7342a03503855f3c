/** Connections to a CAN bus in the configuration: one schema for each `type`. */
import Type, { type Static } from 'typebox';
import { closed, Id } from '../connection-fields.ts';

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

/** In the order in which the documentation lists them. */
export const CAN_CONNECTIONS = [
  SocketCanConnection,
  SlcanConnection,
  CandumpConnection,
  VirtualCanConnection,
] as const;

export type SocketCanConnection = Static<typeof SocketCanConnection>;
export type SlcanConnection = Static<typeof SlcanConnection>;
export type CandumpConnection = Static<typeof CandumpConnection>;
export type VirtualCanConnection = Static<typeof VirtualCanConnection>;
export type CanConnection = SocketCanConnection | SlcanConnection | CandumpConnection | VirtualCanConnection;
