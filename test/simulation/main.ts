/** `npm run simulate-faults -- --seeds 10000 --from 1 [--trace]`: stops at the first seed that finds something. */
import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock/system-clock.ts';
import { Simulation } from './simulation.ts';
import { openWorld } from './world.ts';

const SEEDS_PER_LINE = 500;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
});
const from = whole('from', values.from);
const seeds = whole('seeds', values.seeds);
const world = await openWorld(values.trace ? line => console.log(line) : () => {});
const begun_ms = systemClock.monoMs();
try {
  for (let seed = from; seed < from + seeds; seed++) {
    await new Simulation(world, seed).run();
    const done = seed - from + 1;
    if (done % SEEDS_PER_LINE === 0 || done === seeds)
      console.log(
        `${done} of ${seeds} seeds, ${Math.round((systemClock.monoMs() - begun_ms) / done)} ms each`,
      );
  }
  console.log(JSON.stringify({ disk: world.disk.status(), wire: world.wire.hits }));
} catch (error) {
  const [, seed] = /^seed (\d+)/.exec(String((error as Error).message)) ?? [];
  console.error(
    `${(error as Error).message}\nagain: npm run simulate-faults -- --seeds 1 --from ${seed} --trace`,
  );
  if (values.trace) console.error(error);
  process.exitCode = 1;
} finally {
  await world.close();
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    console.error(`--${name}: expected a whole number from 1 on, found "${text}"`);
    process.exit(2);
  }
  return value;
}
