/** A recording of Modbus through the real driver: golden replies as somebody would post them give their values. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodeMbap } from '../../drivers/modbus/mbap.ts';
import { encodeRtu } from '../../drivers/modbus/rtu/crc.ts';
import { bundledProfiles } from '../../drivers/profiles/every-profile.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { decodeExchanges } from './decode-modbus.ts';

const folder = mkdtempSync(join(tmpdir(), 'decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

const profileOf = (id: string) => bundledProfiles.find(profile => profile.id === id)!;

interface Reply {
  readonly code: number;
  readonly address: number;
  readonly count: number;
  readonly data: string;
}

/** No longer request in them. */
const MAX_COUNT = 120;

/** The golden replies of a profile as pairs in hex, of this unit. */
function recordingOf({ id, directory, registers }: Profile, unit: number, is_tcp: boolean): string {
  const [{ replies }] = JSON.parse(readFileSync(join(directory, `${id}.golden.json`), 'utf8')) as {
    replies: Reply[];
  }[];
  const step = registers?.address_step ?? 1;
  const short = replies.flatMap(({ code, address, count, data }) =>
    Array.from({ length: Math.ceil(count / MAX_COUNT) }, (_, i) => ({
      code,
      address: address + i * MAX_COUNT * step,
      count: Math.min(MAX_COUNT, count - i * MAX_COUNT),
      data: data.slice(i * MAX_COUNT * 4, (i + 1) * MAX_COUNT * 4),
    })),
  );
  const frame = (i: number, pdu: Uint8Array) =>
    Buffer.from(is_tcp ? encodeMbap(i, unit, pdu) : encodeRtu(unit, pdu));
  return short
    .map(({ code, address, count, data }, i) => {
      const request = Uint8Array.of(code, address >> 8, address & 255, count >> 8, count & 255);
      const bytes = Buffer.from(data, 'hex');
      const reply = Uint8Array.of(code, bytes.length, ...bytes);
      return `${frame(i, request).toString('hex')} -> ${frame(i, reply).toString('hex')}\n`;
    })
    .join('');
}

async function decoded(text: string, profile: Profile, more: { cells?: number; address?: number } = {}) {
  const file = join(folder, 'posted.txt');
  writeFileSync(file, text);
  const { cells, address } = more;
  const { lines, problems } = await decodeExchanges(file, { profile, cells, address, options: [] });
  return { lines: lines.map(line => line.replace(/ +/g, ' ')), problems, file };
}

test.each([false, true])('pairs of a unit give its values (TCP: %s)', async is_tcp => {
  const profile = profileOf('vatrer');
  const { lines, problems } = await decoded(recordingOf(profile, 2, is_tcp), profile, { cells: 16 });
  expect(problems).toEqual([]);
  expect(lines).toEqual(
    expect.arrayContaining([
      'voltage_v 52.67 V',
      'current_a -4.96 A',
      'soc_pct 40.00 %',
      'sensor 1 temperature_c 18.0 °C',
    ]),
  );
  expect(lines).toContain('cell 1 voltage_v 3.2930 V');
  expect(lines.at(-1)).toBe('unit 2: 3 replies');
});

test('addresses that count bytes: two requests that follow one another', async () => {
  const profile = profileOf('jk-pb-modbus');
  const { lines, problems } = await decoded(recordingOf(profile, 1, false), profile, { cells: 2 });
  expect(problems).toEqual([]);
  expect(lines).toEqual(
    expect.arrayContaining([
      'voltage_v 6.63 V',
      'current_a -2.50 A',
      'soc_pct 80.00 %',
      'cell 2 voltage_v 3.3150 V',
    ]),
  );
  expect(lines).toContain('device alarm cell_over_voltage alarm');
  expect(lines.at(-1)).toBe('unit 1: 2 replies');
});

test('several units: one is asked for, the others are named; what is wrong is named by line beside the values', async () => {
  const profile = profileOf('vatrer');
  const text = `${recordingOf(profile, 7, false)}${recordingOf(profile, 9, false)}what is this?\n`;
  const { lines, problems, file } = await decoded(text, profile, { cells: 16, address: 9 });
  expect(lines).toContain('other units in it: 7 (--address N)');
  expect(lines).toContain('unit 9: 3 replies');
  expect(problems).toEqual([
    `${file}:7: found "what", expected bytes in hex, such as 01 03 00 00 00 0A C5 CD`,
  ]);
  await expect(decoded(text, profile, { address: 3 })).rejects.toThrow('--address 3: the file has unit 7, 9');
});

test('a file without any exchange says what is expected', async () => {
  const { lines, problems, file } = await decoded('', profileOf('vatrer'));
  expect(lines).toEqual([]);
  expect(problems).toEqual([
    `${file}: found no request with its reply, expected a pair a line in hex, RTU or TCP`,
  ]);
});
