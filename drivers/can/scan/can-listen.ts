/**
 * Hears a live CAN bus for a while. Listens only; `ask` sends the documented read requests of the profiles
 * given, one at a time, as the gateway itself would, and nothing else.
 */
import { type Clock, sleep } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Profile } from '../../profiles/profile.ts';
import { candidateBinding } from '../../scan/candidate.ts';
import type { CanBus } from '../can-bus.ts';
import { CanPoller } from '../can-poller.ts';
import { EcuReader } from '../iso-tp/ecu-reader.ts';
import type { IsoTpLink } from '../iso-tp/iso-tp-reads.ts';
import { mapPack, type PackMapping } from '../pack-mapping.ts';
import { CanTraffic } from './traffic.ts';

export class CanListener {
  readonly traffic = new CanTraffic();
  readonly #bus: CanBus;
  readonly #clock: Clock;
  #up = false;
  #reason: string | undefined;

  constructor(bus: CanBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** What the bus last said was wrong; undefined while all is well. */
  get fault(): string | undefined {
    return this.#reason;
  }

  /** @throws GatewayError CAN_UNAVAILABLE where there is nothing to listen on. */
  async listen(duration_ms: number, signal?: AbortSignal): Promise<void> {
    await this.#listen(duration_ms, signal, []);
  }

  /** As `listen`, while devices that speak only when asked are asked at these addresses. */
  async ask(
    profiles: readonly Profile[],
    addressesOf: (profile: Profile) => readonly (number | undefined)[],
    duration_ms: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const mappings = profiles.flatMap(profile =>
      addressesOf(profile).map(address => mapPack(candidateBinding(profile, address))),
    );
    await this.#listen(duration_ms, signal, mappings);
  }

  /** Of devices that nobody else has asked meanwhile. */
  #readers(mappings: readonly PackMapping[]): EcuReader[] {
    const links = mappings.flatMap(({ iso_tp }) => iso_tp);
    const isAsked = (link: IsoTpLink) =>
      [...this.traffic.ids].some(({ id, extended }) => id === link.request_id && extended === link.extended);
    return links
      .filter(link => !isAsked(link))
      .map(link => new EcuReader(this.#bus, this.#clock, link, () => {}));
  }

  async #listen(
    duration_ms: number,
    signal: AbortSignal | undefined,
    mappings: readonly PackMapping[],
  ): Promise<void> {
    const poller = new CanPoller(this.#bus, this.#clock, mappings);
    const readers = this.#readers(mappings);
    let was_up = false;
    try {
      await this.#bus.open([], {
        onFrame: frame => {
          this.traffic.add(frame, this.#clock.monoMs());
          for (const reader of readers) reader.take(frame);
        },
        onState: (state, reason) => {
          this.#up = state !== 'down';
          this.#reason = reason;
          was_up ||= this.#up;
        },
      });
      poller.start(() => this.#up);
      // It was listened before.
      for (const reader of readers) reader.start(() => this.#up, 0);
      await sleep(this.#clock, duration_ms, signal);
    } finally {
      poller.stop();
      for (const reader of readers) reader.stop();
      await this.#bus.close();
    }
    const { error_frames = 0, remote_frames = 0 } = this.#bus.counters;
    this.traffic.error_frames = error_frames;
    this.traffic.remote_frames = remote_frames;
    if (!was_up && this.traffic.frames === 0)
      throw new GatewayError('CAN_UNAVAILABLE', this.#reason ?? `${this.#bus.name}: could not be opened`);
  }
}
