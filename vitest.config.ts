/** `unit`: fast tests beside the code. `system`: what crosses rooms, real parts, slower; lives in `test/`. */
import { defineConfig } from 'vitest/config';

const rooms = '{core,drivers,sim,daemon,ui}';

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: [`${rooms}/**/*.test.{ts,tsx}`], pool: 'forks', testTimeout: 15_000 },
      },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
