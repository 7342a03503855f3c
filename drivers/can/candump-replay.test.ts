/** Reading and replaying `candump -l` logs. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import type { CanBusState } from './can-bus.ts';
import { CandumpReplay, parseCandumpLine } from './candump-replay.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'candump-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('every kind of line is read; what is none is refused', () => {
  const read = (text: string) => {
    const line = parseCandumpLine(text);
    return line && { ...line, data: Buffer.from(line.data).toString('hex') };
  };
  expect(read('(1436509052.249713) can0 2F4#1301D711')).toMatchObject({
    t_s: 1436509052.249713,
    interface: 'can0',
    id: 0x2f4,
    extended: false,
    data: '1301d711',
  });
  expect(read('(0.1) vcan0 18F128F4#')).toMatchObject({ id: 0x18f128f4, extended: true, data: '' });
  expect(read('(0.1) can0 123#R8')).toMatchObject({ remote: true });
  expect(read('(0.1) can0 123##1AABBCCDDEEFF00112233')).toMatchObject({
    fd: true,
    data: 'aabbccddeeff00112233',
  });
  expect(read('(0.1) can0 20000040#0000000000000000')).toMatchObject({ error: true });
  const bad = [
    '',
    'x',
    '(0.1) can0 12#00',
    '(0.1) can0 123#0',
    '(0.1) can0 123#001122334455667788',
    '(0.1) can0 FFF#00',
  ];
  for (const text of bad) expect(read(text), text).toBeUndefined();
});

test('what is written as a line is read back, and random text never throws', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(0x1fffffff), fc.uint8Array({ maxLength: 8 }), (extended, any, data) => {
      const id = extended ? any : any & 0x7ff;
      const hex = id
        .toString(16)
        .toUpperCase()
        .padStart(extended ? 8 : 3, '0');
      const line = parseCandumpLine(`(12.5) can1 ${hex}#${Buffer.from(data).toString('hex')}`);
      expect(line).toMatchObject({ id, extended, interface: 'can1' });
      expect(Array.from(line?.data ?? [])).toEqual(Array.from(data));
    }),
  );
  fc.assert(fc.property(fc.string(), text => void parseCandumpLine(text)));
});

function replay(text: string, options: { speed?: number; loop?: boolean } = {}) {
  const file = join(folder, 'log');
  writeFileSync(file, text);
  const clock = new ManualClock();
  const bus = new CandumpReplay({ file, ...options }, clock);
  const frames: { id: number; rx_mono_ms: number }[] = [];
  const states: CanBusState[] = [];
  const listener = {
    onFrame: ({ id, rx_mono_ms }: { id: number; rx_mono_ms: number }) => void frames.push({ id, rx_mono_ms }),
    onState: (state: CanBusState) => void states.push(state),
  };
  /** Lets files be read and moves time on in small steps, until `done`. */
  const play = async (done: () => boolean) => {
    for (let i = 0; i < 20_000 && !done(); i++) {
      await new Promise(resolve => setImmediate(resolve));
      clock.advance(10);
    }
    expect(done()).toBe(true);
  };
  return { bus, clock, frames, states, listener, play };
}

test('frames come at the times of the log, divided by the speed; the end is reported', async () => {
  const { bus, frames, states, listener, play } = replay(
    '(100.0) can0 001#00\n(100.5) can0 002#00\n\nnonsense\n(102.0) can0 003#00\n',
    { speed: 2 },
  );
  await bus.open([], listener);
  await play(() => states.at(-1) === 'down');
  expect(frames.map(frame => frame.id)).toEqual([1, 2, 3]);
  const [first, second, third] = frames.map(frame => frame.rx_mono_ms);
  expect(second - first).toBeGreaterThanOrEqual(240);
  expect(third - first).toBeGreaterThanOrEqual(990);
  expect(third - first).toBeLessThan(1100);
  expect(bus.counters.bad_lines).toBe(1);
  expect(bus.newest_bad_line).toContain('line 4: "nonsense"');
  await bus.close();
});

test('a loop begins again; close ends it at once and nothing follows', async () => {
  const { bus, frames, listener, play, clock } = replay('(1.0) can0 001#00\n(1.1) can0 002#00\n', {
    loop: true,
  });
  await bus.open([], listener);
  await play(() => frames.length >= 6);
  await bus.close();
  await bus.close();
  const count = frames.length;
  await clock.advanceAsync(10_000);
  expect(frames).toHaveLength(count);
  expect(clock.pendingTimers).toBe(0);
});

test('a log that is not there is a reason, not an exception', async () => {
  const clock = new ManualClock();
  const bus = new CandumpReplay({ file: join(folder, 'absent.log') }, clock);
  const reasons: (string | undefined)[] = [];
  await bus.open([], { onFrame() {}, onState: (_state, reason) => void reasons.push(reason) });
  for (let i = 0; i < 100_000 && reasons.length < 2; i++) await new Promise(resolve => setImmediate(resolve));
  expect(reasons.at(-1)).toContain('absent.log: cannot be read: ENOENT');
  await bus.close();
});

const trace = new URL('../../../shared/conformance/traces/savvycan-vehicle-candump.log', import.meta.url);
const traceTest = existsSync(trace) || process.env.CI === 'true' ? test : test.skip;

traceTest('a real log of a vehicle is read to the last line', () => {
  const lines = readFileSync(trace, 'utf8')
    .split('\n')
    .filter(line => line !== '');
  const ids = new Set<number>();
  let bytes = 0;
  for (const text of lines) {
    const line = parseCandumpLine(text);
    expect(line, text).toBeDefined();
    ids.add(line?.id ?? -1);
    bytes += line?.data.length ?? 0;
  }
  expect(lines.length).toBe(12_974);
  expect(ids.size).toBeGreaterThan(20);
  expect(bytes).toBeGreaterThan(lines.length * 4);
});
