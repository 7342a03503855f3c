/** Blocks read at once give what blocks read one after the other give, whatever the unit lacks or leaves unanswered. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import type { Profile } from '../../profiles/profile.ts';
import { RegisterImage } from '../register-image.ts';
import { bindingFor, type RoundBench, roundBench } from '../testing/registers.ts';

const PROFILE: Profile = {
  id: 'acme',
  title: 'Acme',
  vendor: 'Acme',
  models: [],
  source: 'Acme',
  transport: 'modbus',
  cells: { max: 8 },
  sensors: { max: 2 },
  directory: '',
  registers: {
    max_hole: 0,
    blocks: {
      whole: { code: 3, first: 0, last: 5 },
      input: { code: 4, first: 0, last: 3 },
      cells: { code: 3, first: 20, last: 27 },
      seldom: { code: 3, first: 40, last: 41, every: 3 },
      sensors: { code: 4, first: 60, last: 61 },
    },
    pack: {
      voltage_v: { block: 'whole', at: 0, scale_at: 1 },
      current_a: { block: 'whole', at: 4, type: 's32', scale: 0.01 },
      soc_pct: { block: 'input', at: 0 },
      soh_pct: { block: 'input', at: 3 },
      cycle_count: { block: 'seldom', at: 40 },
    },
    cells: { voltage_v: { block: 'cells', at: 20, count: 8, scale: 0.001 } },
    sensors: [{ block: 'sensors', at: 60, count: 2, scale: 0.1 }],
  },
};
const BINDING = bindingFor(PROFILE, { cells: 8, sensors: 2 });
/** Every register there is in a whole unit, by function: those that follow one another can be read together. */
const PLACES: readonly (readonly [code: 3 | 4, address: number])[] = [
  ...[0, 1, 2, 3, 4, 5, 20, 21, 22, 23, 24, 25, 26, 27, 40, 41].map(address => [3, address] as const),
  ...[0, 1, 2, 3, 60, 61].map(address => [4, address] as const),
];

function imageWithout(lacking: readonly number[]): RegisterImage {
  const segments: { code: number; address: number; words: number[] }[] = [];
  for (const [code, address] of PLACES.filter((_, i) => !lacking.includes(i))) {
    const last = segments.at(-1);
    const word = address === 1 ? 0xffff : 30 + address;
    if (last?.code === code && last.address + last.words.length === address) last.words.push(word);
    else segments.push({ code, address, words: [word] });
  }
  return new RegisterImage(
    ...segments.map(({ code, address, words }) => ({ code, address, registers: Uint16Array.from(words) })),
  );
}

const turns = (count: number) => async () => {
  for (let i = 0; i < count; i++) await new Promise<void>(resolve => setImmediate(resolve));
  return undefined;
};

function outcome(bench: RoundBench): unknown {
  const { values, value_quality, cells, cell_quality, sensors, sensor_quality } = bench.snapshot();
  const complaint = bench.complaints.at(-1);
  return { values, value_quality, cells, cell_quality, sensors, sensor_quality, complaint };
}

const lackings = fc.uniqueArray(fc.nat(PLACES.length - 1), { maxLength: 8 });

test('the same values and complaints, in whatever order replies come', async () => {
  await fc.assert(
    fc.asyncProperty(
      lackings,
      fc.integer({ min: 2, max: 16 }),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }),
      async (lacking, at_once, delays) => {
        const image = imageWithout(lacking);
        let asked = 0;
        let in_flight = 0;
        let most = 0;
        const one = roundBench(BINDING, pdu => image.answer(pdu));
        const many = roundBench(BINDING, pdu => image.answer(pdu), {
          at_once,
          onRequest: async () => {
            most = Math.max(most, ++in_flight);
            await turns(delays[asked++ % delays.length])();
            in_flight--;
            return undefined;
          },
        });
        for (let round = 0; round < 7; round++) {
          const expected = await one.round();
          expect(await many.round()).toBe(expected);
        }
        expect(outcome(many)).toEqual(outcome(one));
        expect(most).toBeGreaterThan(1);
        expect(most).toBeLessThanOrEqual(at_once);
      },
    ),
    { numRuns: runsOf(60) },
  );
});

test('a round goes on where blocks were silent, and ends with every value', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 8 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
      async (at_once, silences) => {
        const image = imageWithout([]);
        const silent = [...silences];
        let listening = false;
        const one = roundBench(BINDING, pdu => image.answer(pdu));
        const many = roundBench(BINDING, pdu => image.answer(pdu), {
          at_once,
          onRequest: async () => (listening && silent.pop() ? 'timeout' : undefined),
        });
        for (const bench of [one, many]) expect(await bench.round()).toBe(true);
        expect(await one.round()).toBe(true);
        listening = true;
        const before = many.requests.length;
        let failures = 0;
        while (await many.reader.read()) failures++;
        many.reader.commit(0, (_, complaint) => many.complaints.push(complaint));
        expect(outcome(many)).toEqual(outcome(one));
        const lost = silences.length - silent.length - silences.slice(silent.length).filter(is => !is).length;
        // Nothing that was answered is asked again in the round.
        expect(many.requests.length - before).toBe(one.requests.length - before + lost);
        expect(failures).toBeLessThanOrEqual(lost);
      },
    ),
    { numRuns: runsOf(60) },
  );
});

test('after a failure blocks are read one by one until a round is whole', async () => {
  const image = imageWithout([]);
  let in_flight = 0;
  let most = 0;
  let dead = false;
  const bench = roundBench(BINDING, pdu => image.answer(pdu), {
    at_once: 4,
    onRequest: async () => {
      most = Math.max(most, ++in_flight);
      await turns(1)();
      in_flight--;
      return dead ? 'timeout' : undefined;
    },
  });
  const mostOf = async (): Promise<number> => {
    most = 0;
    await bench.round();
    return most;
  };
  expect(await mostOf()).toBe(1);
  expect(await mostOf()).toBe(4);
  dead = true;
  expect(await mostOf()).toBe(4);
  const before = bench.requests.length;
  expect(await mostOf()).toBe(1);
  expect(bench.requests.length).toBe(before + 1);
  dead = false;
  expect(await mostOf()).toBe(1);
  expect(await mostOf()).toBe(4);
});
