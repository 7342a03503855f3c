/** `unit`: fast tests beside the code. `system`: what crosses rooms, real parts, slower; lives in `test/`. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const rooms = '{core,drivers,sim,daemon,ui}';

/** Many tests wait: for a kernel to boot, for a server, for time to pass. */
const WORKERS = 2;
/** Three for a core of a small machine: what waits costs nothing. */
const UNIT_WORKERS = 6;

// What Node compiles is kept: packages, and the sources that threads and processes of tests load by themselves.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/tests');
/** What takes minutes begins first, so that nothing waits for it at the end. */
const LONGEST = [
  'power-cut/power-cut',
  'edge-box/served',
  'test/simulation',
  'upstream/faults',
  'browser/dashboard',
  // These wait for time to pass, while others work.
  'daemon/store/waiting',
  'scan/modbus-scan',
  'modbus/trailing',
  'modbus/closing',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex(part => moduleId.includes(part));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${rooms}/**/*.test.{ts,tsx}`],
          pool: 'forks',
          // Modules are loaded once by each worker; none keeps anything that another test file could see.
          isolate: false,
          // By Node itself, as the product runs: a fifth less to do than when Vite transforms them.
          experimental: { viteModuleRunner: false, nodeLoader: false },
          maxWorkers: UNIT_WORKERS,
          // Projects with workers of their own number run one after the other.
          sequence: { groupOrder: 0 },
          // A machine that does other things as well takes its time.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: WORKERS,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
