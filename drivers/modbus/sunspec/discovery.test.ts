/** Finding models on units that follow the standard, and on those that do not. */
import { expect, test } from 'vitest';
import { RegisterImage, type RegisterSegment } from '../register-image.ts';
import type { FailureKind } from '../reply.ts';
import { ChainWalk, type ReadRegisters } from './discovery.ts';

const MARKER = [0x5375, 0x6e53];
const common = [1, 4, 0, 0, 0, 0];
const bank = [802, 2, 0, 0];

function segment(address: number, ...words: number[]): RegisterSegment {
  return { address, registers: Uint16Array.from(words) };
}

/** Reads as a link does; `fail` may put a failure in the place of any read. */
function reader(image: RegisterImage, fail?: (address: number, count: number) => FailureKind | undefined) {
  const asked: string[] = [];
  const read: ReadRegisters = async (address, count, into) => {
    asked.push(`${address}+${count}`);
    const kind = fail?.(address, count);
    if (kind) return { kind, message: kind };
    const reply = image.answer(Uint8Array.of(3, address >> 8, address & 0xff, 0, count));
    if (reply[0] & 0x80) return { kind: 'exception', message: `exception 0${reply[1]}` };
    for (let i = 0; i < count; i++) into[i] = (reply[2 + 2 * i] << 8) | reply[3 + 2 * i];
    return undefined;
  };
  return { read, asked };
}

const idsOf = (walk: ChainWalk) => walk.models.map(({ id, address }) => [id, address]);

test.each([40_000, 0, 50_000])(
  'finds the chain at %i, and ends at FFFF without asking for its length',
  async base => {
    const { read, asked } = reader(new RegisterImage(segment(base, ...MARKER, ...common, ...bank, 0xffff)));
    const walk = new ChainWalk('unit 1');
    expect(await walk.advance(read)).toBeUndefined();
    expect(idsOf(walk)).toEqual([
      [1, base + 2],
      [802, base + 8],
    ]);
    expect(asked.at(-1)).toBe(`${base + 12}+1`);
  },
);

test('a chain that ends with ID 0, or in an exception, is a chain', async () => {
  for (const end of [[0, 0], []]) {
    const { read } = reader(new RegisterImage(segment(0, ...MARKER, ...common, ...bank, ...end)));
    const walk = new ChainWalk('unit 1');
    expect(await walk.advance(read)).toBeUndefined();
    expect(walk.models).toHaveLength(2);
  }
});

test('a chain that never ends is given up at a bound', async () => {
  const registers = new Uint16Array(0xffff - 40_000).fill(0);
  registers.set(MARKER);
  for (let at = 2; at + 1 < registers.length; at += 2) registers[at] = 700;
  const walk = new ChainWalk('unit 1');
  const { read } = reader(new RegisterImage({ address: 40_000, registers }));
  expect(await walk.advance(read)).toBeUndefined();
  expect(walk.models).toHaveLength(1000);
});

test('a unit without the marker says so, with what it answered', async () => {
  const { read } = reader(new RegisterImage(segment(40_000, 1, 2)));
  const failure = await new ChainWalk('unit 1').advance(read);
  expect(failure?.message).toBe(
    'unit 1: no SunSpec marker (5375 6E53): register 40000 holds 0001 0002, 0 is refused, 50000 is refused',
  );
});

test('a unit that is silent about foreign registers is found at its base, one time-out at a time', async () => {
  const image = new RegisterImage(segment(50_000, ...MARKER, ...common, 0xffff));
  const { read, asked } = reader(image, address => (address < 50_000 ? 'timeout' : undefined));
  const walk = new ChainWalk('unit 1');
  expect((await walk.advance(read))?.kind).toBe('timeout');
  expect((await walk.advance(read))?.kind).toBe('timeout');
  expect(await walk.advance(read)).toBeUndefined();
  expect(asked.slice(0, 3)).toEqual(['40000+2', '0+2', '50000+2']);
});

test('a lost reply does not send the walk back to the beginning, nor end the chain', async () => {
  const image = new RegisterImage(segment(40_000, ...MARKER, ...common, ...bank, 0xffff));
  let lost = 0;
  const { read, asked } = reader(image, address =>
    address === 40_008 && lost++ === 0 ? 'timeout' : undefined,
  );
  const walk = new ChainWalk('unit 1');
  expect((await walk.advance(read))?.kind).toBe('timeout');
  const before = asked.length;
  expect(await walk.advance(read)).toBeUndefined();
  expect(asked.slice(before)).toEqual(['40008+1', '40009+1', '40012+1']);
  expect(walk.models).toHaveLength(2);
});

test('silence twice at the same place is the end of the chain', async () => {
  const image = new RegisterImage(segment(40_000, ...MARKER, ...common));
  const { read } = reader(image, address => (address >= 40_008 ? 'timeout' : undefined));
  const walk = new ChainWalk('unit 1');
  expect((await walk.advance(read))?.kind).toBe('timeout');
  expect(await walk.advance(read)).toBeUndefined();
  expect(walk.models).toHaveLength(1);
});
