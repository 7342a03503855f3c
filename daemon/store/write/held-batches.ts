/**
 * Batches that wait in memory until the store can be opened. Keys of packs stand in the file: until it is open readings
 * carry their pack's index, from 1 on.
 */
import type { GatewayError } from '../../../core/errors.ts';
import { recordBytes, recordKind, recordPackKey, setRecordPackKey } from '../format/batch-buffer.ts';
import { LogKind } from '../store.ts';
import type { Committed } from '../worker-messages.ts';

interface Held {
  readonly buffer: ArrayBuffer;
  readonly used: number;
  readonly resolve: (committed: Committed | Promise<Committed>) => void;
  readonly reject: (error: GatewayError) => void;
}

export class HeldBatches {
  #held: Held[] = [];

  /** As StoreWorkers.commit, once `release` is called. Their number is bounded by the queue they come from. */
  hold(buffer: ArrayBuffer, used: number): Promise<Committed> {
    return new Promise((resolve, reject) => this.#held.push({ buffer, used, resolve, reject }));
  }

  /** Now the keys are known; what is held from now on has them. `pack_keys`: by index of the pack. */
  setKeys(pack_keys: Int32Array): void {
    for (const { buffer, used } of this.#held) {
      const view = new DataView(buffer);
      for (let at = 0; at < used; at += recordBytes(view, at))
        if (recordKind(view, at) === LogKind.reading)
          setRecordPackKey(view, at, pack_keys[recordPackKey(view, at) - 1]!);
    }
  }

  /** All go to `commit`, in order. */
  release(commit: (buffer: ArrayBuffer, used: number) => Promise<Committed>): void {
    for (const { buffer, used, resolve } of this.#held.splice(0)) resolve(commit(buffer, used));
  }

  fail(error: GatewayError): void {
    for (const { reject } of this.#held.splice(0)) reject(error);
  }
}
