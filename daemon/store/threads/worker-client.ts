/** Calls into one of the store's workers: every call is answered, timed out, or rejected when the worker ends. */
import { type Transferable, Worker } from 'node:worker_threads';
import type { Clock, TimerHandle } from '../../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../../core/errors.ts';
import {
  END,
  type Request,
  type WorkerEvent,
  type WorkerMessage,
  type WorkerSetup,
} from '../worker-messages.ts';

/** More calls than this at one time are refused. */
const MAX_PENDING = 256;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: GatewayError) => void;
  readonly timer: TimerHandle | undefined;
}

export class WorkerClient<M extends { [K in keyof M]: [unknown, unknown] }> {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #onEvent: (event: WorkerEvent) => void;
  #next_id = 1;
  #ended: string | undefined;
  #has_exited = false;

  constructor(
    name: string,
    script: URL,
    setup: WorkerSetup,
    clock: Clock,
    onEvent: (event: WorkerEvent) => void = () => {},
  ) {
    this.#name = name;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#worker = new Worker(script, { workerData: setup, name });
    this.#worker.on('message', (message: WorkerMessage) => this.#receive(message));
    this.#worker.on('error', error => this.#end(describeError(error)));
    this.#worker.on('exit', () => {
      this.#has_exited = true;
      this.#end('it has stopped');
    });
  }

  /** `timeout_ms` undefined: for as long as it takes (the caller watches by other means). */
  call<K extends keyof M & string>(
    method: K,
    params: M[K][0],
    timeout_ms: number | undefined,
    transfer: readonly Transferable[] = [],
  ): Promise<M[K][1]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#failure(method, this.#ended));
      if (this.#pending.size >= MAX_PENDING)
        return reject(this.#failure(method, `${MAX_PENDING} calls are waiting already`));
      const id = this.#next_id++;
      const timer =
        timeout_ms === undefined
          ? undefined
          : this.#clock.setTimer(() => {
              this.#pending.delete(id);
              reject(this.#failure(method, `no answer within ${timeout_ms} ms`));
            }, timeout_ms);
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject, timer });
      const request: Request = { id, method, params };
      this.#worker.postMessage(request, transfer);
    });
  }

  /**
   * Ends the thread between two of its calls. One that is ended within native code (SQLite, zlib) can take the whole
   * process with it, so that is the last resort, after `timeout_ms`.
   */
  async end(timeout_ms: number): Promise<void> {
    this.#end('the store is closed');
    let timer: TimerHandle | undefined;
    const exited = new Promise<void>(resolve => {
      if (this.#has_exited) return resolve();
      this.#worker.once('exit', () => resolve());
      timer = this.#clock.setTimer(resolve, timeout_ms);
    });
    this.#worker.postMessage({ id: 0, method: END, params: null } satisfies Request);
    await exited;
    this.#clock.clearTimer(timer);
    await this.#worker.terminate();
  }

  #receive(message: WorkerMessage): void {
    if (message.id === undefined) {
      this.#onEvent(message.event);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    this.#clock.clearTimer(pending.timer);
    if (message.ok) pending.resolve(message.result);
    else pending.reject(new GatewayError(message.code, message.message));
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const { reject, timer } of this.#pending.values()) {
      this.#clock.clearTimer(timer);
      reject(this.#failure('call', reason));
    }
    this.#pending.clear();
    this.#onEvent({ fault: `the ${this.#name} does not run: ${reason}`, ended: true });
  }

  #failure(method: string, reason: string): GatewayError {
    return new GatewayError('STORE_FAILED', `${this.#name}, ${method}: ${reason}`);
  }
}
