/**
 * Gives memory back to the system once a thread has settled: starting leaves a third of a heap behind that V8 would
 * keep for long, as a gateway at work allocates too little to trigger that. Needs Node's --expose-gc
 * (memory-bounds.mjs); without it nothing happens.
 */
export function trimMemory(): void {
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Of long work in one go. */
const COLLECTED_EVERY_PIECES = 8;
let pieces = 0;

/**
 * To be awaited after each piece of long work in one go (some 256 KiB). What was unpacked for it lies outside of the heap,
 * where V8 notices it late, so it is collected now and then; and what is collected is freed between turns only.
 */
export function freePiece(): Promise<void> {
  if (++pieces % COLLECTED_EVERY_PIECES === 0) collect({ type: 'major', execution: 'sync' });
  return new Promise(resolve => setImmediate(resolve));
}

function collect(options: object): void {
  const { gc } = globalThis as { gc?: (options: object) => void };
  gc?.(options);
}
