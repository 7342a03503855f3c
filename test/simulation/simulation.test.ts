/** A hundred and fifty lives of a gateway: nothing acknowledged is lost, nothing is double at the centre, order is kept. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { RECEIVER_FAULTS } from './receivers.ts';
import { hasCompiler } from './virtual-disk.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const SEEDS = 150;

test.skipIf(!hasCompiler() && !process.env.CI)(
  'log and sync hold in 150 seeds of faults of disk, wire and clock (needs gcc)',
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, '--seeds', `${SEEDS}`]);
    expect(stdout).toContain(`${SEEDS} seeds found nothing`);
    const hits = JSON.parse(stdout.slice(stdout.indexOf('{')));
    const of_receivers = RECEIVER_FAULTS.map(fault => `notify_${fault}`);
    for (const fault of [
      ...WIRE_FAULTS,
      ...of_receivers,
      'faults_hit',
      'changes_lost',
      'deaths',
      'power_cuts',
    ])
      expect(hits[fault], fault).toBeGreaterThan(0);
  },
  900_000,
);
