/**
 * Gives memory back to the system once a thread has settled: starting leaves a third of a heap behind that V8 would
 * keep for long, as a gateway at work allocates too little to make it look. Needs Node's --expose-gc
 * (memory-bounds.mjs); without it nothing happens.
 */
export function trimMemory(): void {
  const { gc } = globalThis as { gc?: (options: object) => void };
  gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
