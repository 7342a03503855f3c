/**
 * `npm run power-cut -- --cycles 1000 --seed 7 [--directory DIR] [--sabotage NAME]`: as many cuts as wanted, with a summary at the end. The same directory again goes on where it was; without one, a temporary one.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startDemoPostgres } from '../../../daemon/cli/demo-postgres.ts';
import { missingTools } from '../uml.ts';
import { POWER_CUT_TOOLS, type Sabotage } from './box.ts';
import { Campaign } from './campaign.ts';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    directory: { type: 'string' },
    sabotage: { type: 'string' },
  },
});

const SABOTAGES: readonly Sabotage[] = ['synchronous-off', 'lying-disk'];

const missing = missingTools(POWER_CUT_TOOLS);
if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
const cycles = Number(values.cycles);
const directory = resolve(values.directory ?? mkdtempSync(join(tmpdir(), 'power-cut-')));
mkdirSync(directory, { recursive: true });
// PostgreSQL runs under an account of its own when this is run by root.
chmodSync(directory, 0o755);
const sabotage = SABOTAGES.find(name => name === values.sabotage);
if (values.sabotage && !sabotage)
  throw new Error(`--sabotage: expected ${SABOTAGES.join(' or ')}, found "${values.sabotage}"`);

const postgres = await startDemoPostgres(join(directory, 'postgres'));
let stopping = false;
// Leaving by `exit` also ends the box.
process.on('SIGTERM', () => process.exit(143));
process.on('SIGINT', () => {
  if (stopping) process.exit(130);
  stopping = true;
  console.error('ends after this cycle; once more: at once');
});
let failed = true;
let campaign: Campaign | undefined;
try {
  campaign = await Campaign.open({
    directory,
    seed: Number(values.seed),
    database_url: postgres.database_url,
    sabotage,
    report: line => process.stdout.write(line),
  });
  while (campaign.counts.cycles < cycles && !stopping && campaign.ledger.violations.length === 0)
    await campaign.cycle();
  const summary = await campaign.finish();
  console.log(JSON.stringify(summary, undefined, 2));
  failed = summary.violations.length > 0;
} finally {
  await campaign?.close();
  await postgres.stop();
  if (!values.directory && !failed) rmSync(directory, { recursive: true, force: true });
  else console.error(`all of it is in ${directory}`);
}
process.exitCode = failed ? 1 : 0;
