/** placeholder being written */
import type { Clock } from '../../core/clock/clock.ts';
import type { CanBus } from './can-bus.ts';
export class SocketCanBus implements CanBus {
  readonly name: string;
  readonly counters = {};
  constructor(name: string, _clock: Clock) {
    this.name = name;
  }
  async open(): Promise<void> {}
  async close(): Promise<void> {}
  restart(): void {}
}
