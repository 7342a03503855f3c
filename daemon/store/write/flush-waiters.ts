/** Those who wait until a batch is durable. */
import type { GatewayError } from '../../../core/errors.ts';

interface FlushWaiter {
  readonly batch: number;
  readonly resolve: () => void;
  readonly reject: (error: GatewayError) => void;
}

export class FlushWaiters {
  #waiters: FlushWaiter[] = [];

  wait(batch: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ batch, resolve, reject }));
  }

  /** Batches up to this one are settled: durable, or lost for that reason. */
  settle(through: number, error?: GatewayError): void {
    const due = this.#waiters.filter(({ batch }) => batch <= through);
    if (due.length === 0) return;
    this.#waiters = this.#waiters.filter(({ batch }) => batch > through);
    for (const { resolve, reject } of due) error ? reject(error) : resolve();
  }
}
