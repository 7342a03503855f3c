/**
 * How a transport is simulated: devices on its wires inside the process, and bridges that carry them outside. Each has
 * a folder here, and one object in it; `transports.ts` is the table of them.
 */
import type { Clock } from '../core/clock/clock.ts';
import type { PackReading } from '../core/reading/pack-reading.ts';
import type { PackBinding } from '../drivers/driver.ts';
import type { Bridge, OnBridgeLost } from './serve/bridge.ts';

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

/** Where virtual hardware is served, as a person writes it after `--listen`. */
export interface AnyServeTarget {
  readonly kind: string;
  /** Where other machines may reach it. */
  readonly host?: string;
}

export interface ServeForm {
  readonly form: string;
  readonly about: string;
}

export interface ServedConnection<Wires = unknown> {
  readonly connection_id: string;
  readonly bindings: readonly PackBinding[];
  readonly wires: Wires;
  readonly clock: Clock;
  /** A bridge that was open can serve no longer. */
  readonly onLost: OnBridgeLost;
}

export interface SimulatedTransport<Target extends AnyServeTarget = AnyServeTarget, Wires = unknown> {
  /** How targets are written, and what each is. */
  readonly serve_forms: readonly ServeForm[];
  /** With a clock each device keeps its own periods; without, every `publish` sends all it has. */
  attachDevice(
    connection_id: string,
    binding: PackBinding,
    source: DeviceSource,
    wires: Wires,
    clock: Clock | undefined,
  ): VirtualDevice;
  /** The one place on a connection where there can be no second pack; absent: there is none such. */
  placeOf?(binding: PackBinding): string;
  /** Undefined where the text is none of `serve_forms`. */
  parseServeTarget(text: string): Target | undefined;
  makeBridge(target: Target, served: ServedConnection<Wires>): Bridge;
}
