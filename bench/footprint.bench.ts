/**
 * What the gateway takes of a box: memory and processor time of the bundle, as the systemd unit starts it, reading
 * the default fleet (whose simulator runs in the same process) into its store.
 */
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_CONFIG, startAsOnBox } from './box-program.ts';
import { processorSeconds } from './processor-time.ts';

const SETTLED_AFTER_MS = 60_000;
const MEASURED_MS = 120_000;
const GOAL_MB = 150;
const GOAL_SHARE = 0.03;

export async function benchFootprint(): Promise<string[]> {
  if (process.platform !== 'linux') return ['not measured: reads /proc of Linux'];
  const directory = await mkdtemp(join(tmpdir(), 'bms-footprint-'));
  await chmod(directory, 0o711);
  const gateway = startAsOnBox({
    BMS_CONFIG: DEMO_CONFIG,
    BMS_STATE_DIR: directory,
    BMS_HTTP_PORT: '0',
    BMS_ADMIN_PASSWORD: 'measured-in-megabytes',
  });
  try {
    await gateway.waitFor(/"msg":"serving"/);
    await sleep(SETTLED_AFTER_MS);
    const [begun_s, begun_ms] = [processorSeconds(gateway.pid), performance.now()];
    await sleep(MEASURED_MS);
    const used_s = processorSeconds(gateway.pid) - begun_s;
    const share = used_s / ((performance.now() - begun_ms) / 1000);
    const { Rss, Anonymous } = memoryOf(gateway.pid);
    return [
      `resident ${Rss.toFixed(0)} MB (goal ${GOAL_MB}), of which ${(Rss - Anonymous).toFixed(0)} MB are files that others share`,
      `${(100 * share).toFixed(1)} % of one core (goal ${100 * GOAL_SHARE})`,
    ];
  } finally {
    await gateway.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function memoryOf(pid: number): { Rss: number; Anonymous: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024;
  return { Rss: megabytes('Rss'), Anonymous: megabytes('Anonymous') };
}
