/** The simulated packs on the wire: CAN nodes that broadcast or answer, Modbus units that answer. */
import type { Clock } from '../core/clock/clock.ts';
import type { PackReading } from '../core/reading/pack-reading.ts';
import type { CanFrame } from '../drivers/can/can-bus.ts';
import { createCanEncoder } from '../drivers/can/can-encoder.ts';
import { mapPack } from '../drivers/can/pack-mapping.ts';
import type { SentFrame } from '../drivers/can/virtual-bus.ts';
import type { CanConnection, ConnectionConfig, ModbusConnection } from '../drivers/connections.ts';
import { transportOf } from '../drivers/connections.ts';
import type { PackBinding } from '../drivers/driver.ts';
import { createUnitImage } from '../drivers/modbus/unit-image.ts';
import { unitOf } from '../drivers/modbus/units-of-connection.ts';
import type { VirtualWires } from '../drivers/registry.ts';

/** One pack's place on a wire. Attached from construction until `detach`. */
export interface VirtualDevice {
  /** True where frames are sent by the device itself rather than asked for. */
  readonly broadcasts: boolean;
  /** Puts the newest measurement on the wire, as far as it is not asked for; does nothing while the device is dead. */
  publish(): void;
  detach(): void;
}

/** What a device shows: the newest measurement of its pack, and whether it still speaks. */
export interface DeviceSource {
  readonly reading: PackReading;
  isDead(): boolean;
}

export function isVirtual(connection: ConnectionConfig): boolean {
  return connection.type === 'virtual-can' || connection.type === 'virtual-modbus';
}

/** Of a message whose DBC gives no period. */
const DEFAULT_CYCLE_MS = 1000;

/** With a clock each CAN message keeps its own period of the DBC; without, every `publish` sends all of them. */
export function attachDevice(
  connection: ConnectionConfig,
  binding: PackBinding,
  source: DeviceSource,
  wires: VirtualWires,
  clock: Clock | undefined,
): VirtualDevice {
  return transportOf(connection.type) === 'can'
    ? canNode(connection as CanConnection, binding, source, wires, clock)
    : modbusUnit(connection as ModbusConnection, binding, source, wires);
}

function canNode(
  connection: CanConnection,
  binding: PackBinding,
  source: DeviceSource,
  wires: VirtualWires,
  clock: Clock | undefined,
): VirtualDevice {
  const { messages } = createCanEncoder(binding);
  const polls = mapPack(binding).polls.filter(({ answers }) => answers.length > 0);
  const asked = new Set(polls.flatMap(({ answers }) => answers));
  const broadcast = messages.filter(({ name }) => !asked.has(name));
  const due_mono_ms = new Float64Array(broadcast.length);
  const answer = (request: CanFrame) => {
    if (source.isDead()) return;
    for (const poll of polls)
      if (isSameFrame(poll, request))
        for (const message of messages)
          if (poll.answers.includes(message.name)) message.frames(source.reading, send);
  };
  const node = wires.can.bus(connection.id).attach(polls.length > 0 ? answer : undefined);
  const send = node.send.bind(node);
  return {
    broadcasts: broadcast.length > 0,
    publish() {
      if (source.isDead()) return;
      const now_ms = clock?.monoMs() ?? 0;
      broadcast.forEach((message, i) => {
        if (clock && now_ms < due_mono_ms[i]) return;
        due_mono_ms[i] = Math.max(due_mono_ms[i] + (message.cycle_ms ?? DEFAULT_CYCLE_MS), now_ms);
        message.frames(source.reading, send);
      });
    },
    detach: () => node.detach(),
  };
}

function isSameFrame(poll: SentFrame, frame: SentFrame): boolean {
  if (poll.id !== frame.id || poll.extended !== frame.extended || poll.length !== frame.length) return false;
  for (let i = 0; i < poll.length; i++) if (poll.data[i] !== frame.data[i]) return false;
  return true;
}

function modbusUnit(
  connection: ModbusConnection,
  binding: PackBinding,
  source: DeviceSource,
  wires: VirtualWires,
): VirtualDevice {
  const { image, write } = createUnitImage(binding);
  write(source.reading);
  const detach = wires.modbus.attach(connection.id, unitOf(binding), pdu =>
    source.isDead() ? undefined : image.answer(pdu),
  );
  return {
    broadcasts: false,
    publish() {
      if (!source.isDead()) write(source.reading);
    },
    detach,
  };
}
