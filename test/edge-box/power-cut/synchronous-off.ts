/**
 * For the counter-proof alone, loaded before everything else: lets the writer of the store commit without a sync, so
 * that the test must find losses.
 */
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith('/daemon/store/open-database.ts')) return loaded;
    const source = String(loaded.source);
    if (!source.includes('synchronous = FULL')) throw new Error(`${url}: there is no "synchronous = FULL"`);
    return { ...loaded, source: source.replace('synchronous = FULL', 'synchronous = OFF') };
  },
});
