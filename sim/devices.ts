/** The simulated packs on the wire: CAN nodes that broadcast, Modbus units that answer. */

import type { PackReading } from '../core/reading/pack-reading.ts';
import { createCanEncoder } from '../drivers/can/can-encoder.ts';
import type { CanConnection, ConnectionConfig, ModbusConnection } from '../drivers/connections.ts';
import { transportOf } from '../drivers/connections.ts';
import type { PackBinding } from '../drivers/driver.ts';
import { createUnitImage } from '../drivers/modbus/unit-image.ts';
import { unitOf } from '../drivers/modbus/unit-readers.ts';
import type { VirtualWires } from '../drivers/registry.ts';

/** One pack's place on a wire. Attached from construction until `detach`. */
export interface VirtualDevice {
  /** True where frames are sent by the device itself rather than asked for. */
  readonly broadcasts: boolean;
  /** Puts the newest measurement on the wire; does nothing while the device is dead. */
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

export function attachDevice(
  connection: ConnectionConfig,
  binding: PackBinding,
  source: DeviceSource,
  wires: VirtualWires,
): VirtualDevice {
  return transportOf(connection.type) === 'can'
    ? canNode(connection as CanConnection, binding, source, wires)
    : modbusUnit(connection as ModbusConnection, binding, source, wires);
}

function canNode(
  connection: CanConnection,
  binding: PackBinding,
  source: DeviceSource,
  wires: VirtualWires,
): VirtualDevice {
  const encoder = createCanEncoder(binding);
  const node = wires.can.bus(connection.id).attach();
  const send = node.send.bind(node);
  return {
    broadcasts: true,
    publish() {
      if (!source.isDead()) encoder.frames(source.reading, send);
    },
    detach: () => node.detach(),
  };
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
