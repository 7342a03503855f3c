/** Registers and numbers: sentinels, scale, and where a model may be split. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitModel } from './model-block.ts';
import { MODELS } from './models.ts';
import {
  largestOf,
  type NumberType,
  readNumber,
  readText,
  scaled,
  writeNumber,
  writeText,
} from './points.ts';

const TYPES: NumberType[] = ['u16', 's16', 'u32', 'e16', 'b32', 'sf'];

test('a number comes back as written; what does not fit becomes "not implemented"', () => {
  fc.assert(
    fc.property(fc.constantFrom(...TYPES), fc.integer({ min: -0x80000000, max: 0xffffffff }), (type, raw) => {
      const registers = new Uint16Array(2);
      writeNumber(registers, 0, type, raw);
      const smallest = type === 's16' || type === 'sf' ? -largestOf(type) : 0;
      const fits = raw >= smallest && raw <= largestOf(type);
      expect(readNumber(registers, 0, type)).toBe(fits ? raw : Number.NaN);
    }),
  );
});

test.each([
  ['u16', [0xffff]],
  ['s16', [0x8000]],
  ['e16', [0xffff]],
  ['sf', [0x8000]],
  ['u32', [0xffff, 0xffff]],
  ['b32', [0xffff, 0xffff]],
] as const)('%s says that it is not implemented', (type, words) => {
  expect(readNumber(Uint16Array.from(words), 0, type)).toBeNaN();
});

test('scaling gives the decimal number the device means', () => {
  expect(scaled(3287, -3)).toBe(3.287);
  expect(scaled(14336, 1)).toBe(143360);
  expect(scaled(5, Number.NaN)).toBeNaN();
  expect(scaled(5, 11)).toBeNaN();
  fc.assert(
    fc.property(fc.integer({ min: -32767, max: 32767 }), fc.integer({ min: 0, max: 10 }), (raw, digits) => {
      expect(scaled(raw, -digits)).toBe(Number(`${raw}e-${digits}`));
    }),
  );
});

test('text ends at the first NUL; all NUL is no text', () => {
  const registers = new Uint16Array(4);
  expect(readText(registers, 0, 4)).toBeUndefined();
  writeText(registers, 0, 4, 'Rack7');
  expect(readText(registers, 0, 4)).toBe('Rack7');
});

test('however a model is split, every register is read once and no 32-bit point is cut', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MODELS.values()),
      fc.integer({ min: 4, max: 125 }),
      fc.nat(60),
      (model, max, repeats) => {
        const { fixed, repeated } = model;
        const length = fixed.size + repeats * (repeated?.size ?? 0);
        const spans = splitModel(model, length, max);
        const starts = new Set(spans.map(span => span.offset));
        let next = 0;
        for (const { offset, count } of spans) {
          expect(offset).toBe(next);
          expect(count >= 1 && count <= max).toBe(true);
          next = offset + count;
        }
        expect(next).toBe(length);
        for (let base = 0, i = -1; base < length; i++) {
          const group = i < 0 ? fixed : repeated!;
          for (const point of group.points.values()) {
            const cut = point.size === 2 && starts.has(base + point.offset + 1);
            expect(cut, `${model.id}.${point.name}`).toBe(false);
          }
          base += group.size;
        }
      },
    ),
  );
});
