/**
 * `npm run simulate-faults -- --seeds 10000 --from 1 [--trace]`: stops at the first seed that finds something, and
 * says how to repeat it. One PostgreSQL, and as many processes as there are cores, up to `--processes`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock/system-clock.ts';
import { startCentre } from './world.ts';

const SEEDS_PER_LINE = 500;
const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    processes: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    trace: { type: 'boolean', default: false },
  },
});
const from = whole('from', values.from);
const seeds = whole('seeds', values.seeds);
const processes = Math.min(seeds, whole('processes', values.processes));

const centre = await startCentre();
const begun_ms = systemClock.monoMs();
let done = 0;
const hits: Record<string, number> = {};
const children = Array.from({ length: processes }, (_, i) => {
  const args = [WORKER, `${from + i}`, `${from + seeds - 1}`, `${processes}`, values.trace ? 'trace' : ''];
  return spawn(process.execPath, args, {
    env: { ...process.env, SIMULATION_CENTRE: centre.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
});
const end = () => {
  for (const child of children) child.kill();
};
process.once('SIGINT', end);
process.once('SIGTERM', end);
const codes = await Promise.all(
  children.map(async child => {
    createInterface(child.stdout).on('line', onLine);
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) end();
    return code;
  }),
);
await centre.stop();
if (codes.every(code => code === 0))
  console.log(`${done} seeds found nothing; faults hit: ${JSON.stringify(hits)}`);
else process.exitCode = 1;

function onLine(line: string): void {
  if (line.startsWith('{')) {
    const { receivers, ...found } = JSON.parse(line);
    for (const [name, count] of Object.entries<number>({ ...found, ...named('notify', receivers) }))
      hits[name] = (hits[name] ?? 0) + count;
  } else if (line === 'done') {
    done++;
    if (done % SEEDS_PER_LINE === 0 || done === seeds)
      console.log(
        `${done} of ${seeds} seeds, ${Math.round((systemClock.monoMs() - begun_ms) / done)} ms each`,
      );
  } else console.log(line);
}

/** The wire to the centre has faults of the same names. */
function named(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${prefix}_${name}`, count]));
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  console.error(`--${name}: expected a whole number from 1 on, found "${text}"`);
  process.exit(2);
}
