/**
 * Power cuts on a real edge box: nothing that was acknowledged is lost or changed, the database stays whole, and the
 * centre has every row of the log once, though the power also went during the sync.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { missingTools } from '../uml.ts';
import { POWER_CUT_TOOLS } from './box.ts';
import { Campaign } from './campaign.ts';

const CYCLES = 20;
const SEED = 11;
const TIMEOUT_MS = 480_000;

const missing = missingTools(POWER_CUT_TOOLS);
const canRun = missing.length === 0 || process.env.CI === 'true';
if (!canRun) console.warn(`power cuts are left out, missing: ${missing.join(', ')}`);

describe.skipIf(!canRun)('power cuts', () => {
  let postgres: TestPostgres | undefined;
  let directory: string | undefined;

  beforeAll(async () => {
    expect(missing).toEqual([]);
    postgres = await startPostgres();
    directory = mkdtempSync(join(tmpdir(), 'power-cut-'));
  });
  afterAll(async () => {
    await postgres?.stop();
    if (directory) rmSync(directory, { recursive: true });
  });

  test(
    `${CYCLES} cuts lose, change and double nothing`,
    async () => {
      const campaign = await Campaign.open({
        directory: directory!,
        seed: SEED,
        database_url: postgres!.url,
      });
      try {
        for (let cycle = 0; cycle < CYCLES && campaign.ledger.violations.length === 0; cycle++)
          await campaign.cycle();
        const summary = await campaign.finish();
        console.log(JSON.stringify(summary));
        expect(summary.violations).toEqual([]);
        expect(summary.counts.cycles).toBe(CYCLES);
        // It was about something: cuts under load, rows that came without a word, removal, and all kinds at the centre.
        expect(summary.counts.running + summary.counts.syncing).toBeGreaterThan(CYCLES / 2);
        expect(summary.counts.syncing).toBeGreaterThan(CYCLES / 5);
        expect(summary.counts.sectors_lost).toBeGreaterThan(0);
        expect(summary.ledger.acknowledged).toBeGreaterThan(1000);
        expect(summary.ledger.document_changes).toBeGreaterThan(0);
        expect(summary.ledger.removed).toBeGreaterThan(0);
        expect(Math.min(...Object.values(summary.centre))).toBeGreaterThan(0);
      } finally {
        await campaign.close();
      }
    },
    TIMEOUT_MS,
  );
});
