/**
 * Virtual hardware on the kernel's own CAN: `bms-gateway simulate` on vcan, and as an slcan adapter under the real
 * slcan line discipline (`slcand`), found and read through the npm package `socketcan` and over the serial port.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServedObservations } from './served-scenario.ts';
import { missingParts, runInEdgeBox } from './uml.ts';

const BOX_TIMEOUT_MS = 300_000;
const missing = missingParts();
if (!existsSync('/usr/bin/socat')) missing.push('socat (Debian package socat)');
const canRun = missing.length === 0 || process.env.CI === 'true';
if (!canRun) console.warn(`virtual hardware in the edge box is left out, missing: ${missing.join(', ')}`);

describe.skipIf(!canRun)('virtual hardware in the edge box', () => {
  let share: string;
  let seen: ServedObservations;

  beforeAll(async () => {
    expect(missing).toEqual([]);
    share = mkdtempSync(join(tmpdir(), 'served-box-'));
    const program = [process.execPath, 'test/edge-box/served-scenario.ts'];
    const box = await runInEdgeBox({ program, share, timeout_ms: BOX_TIMEOUT_MS });
    const report = join(share, 'served.json');
    if (!existsSync(report)) throw new Error(`the edge box left nothing:\n${box.console.slice(-4000)}`);
    seen = JSON.parse(readFileSync(report, 'utf8'));
    expect(seen.failure).toBeUndefined();
  }, BOX_TIMEOUT_MS + 20_000);
  afterAll(() => share && rmSync(share, { recursive: true, force: true }));

  test.each(['vcan0', 'slcan0'] as const)('candump on %s sees frames of both packs', bus => {
    const ids = new Set(seen.dumps[bus].map(line => / ([0-9A-F]+)#/.exec(line)?.[1]));
    for (const id of ['2F4', '2F5', '18E028F4', '18E028F5']) expect(ids).toContain(id);
  });

  test.each(['vcan0', 'slcan0', 'slcan'])('a scan of %s knows both packs with their cells', place => {
    const found = Object.entries(seen.scans).find(([name]) => name.split(':')[0] === place)?.[1];
    expect(found?.findings).toEqual(
      expect.arrayContaining(
        [0, 1].map(address => expect.objectContaining({ profile: 'jk-can-v2', address, cells: 16 })),
      ),
    );
    expect(found?.configuration).toContain('jk-can-v2');
  });

  test('requests reach a device that speaks only when asked, and its answers come back', () => {
    const { findings, notes } = seen.scans.slcan1;
    expect(notes.join()).toContain('read requests of daly-can');
    expect(findings[0]).toMatchObject({ profile: 'daly-can', cells: 8 });
  });

  test('a battery of a vehicle is read over ISO-TP, cell by cell', () => {
    const [found] = seen.scans.vcan1.findings;
    expect(found).toMatchObject({ profile: 'hyundai-kia-64kwh', cells: 98 });
    expect(found.confidence_pct).toBeGreaterThan(80);
  });

  test('each stops cleanly', () => expect(seen.exit_codes).toEqual([0, 0, 0, 0]));
});
