/** Whether a unit speaks SunSpec, and what it says of itself there. */
import type { ModbusLink, ReadFailure } from '../modbus-link.ts';
import { ChainWalk } from '../sunspec/discovery.ts';
import { MODELS } from '../sunspec/models.ts';
import { readText } from '../sunspec/points.ts';

const COMMON_MODEL = 1;
/** One per place where the marker may stand, and one for a lost reply. */
const ATTEMPTS = 4;

/** Lines for a person to read; undefined: no marker, or no reply. Only within a job of the link. */
export async function identify(link: ModbusLink, unit: number): Promise<string[] | undefined> {
  const walk = new ChainWalk(`unit ${unit} at ${link.name}`);
  const read = (address: number, count: number, into: Uint16Array): Promise<ReadFailure | undefined> =>
    link.read({ unit, code: 3, address, count }, into);
  const replies_before = link.counters.replies;
  for (let attempt = 0; ; attempt++) {
    const failure = await walk.advance(read);
    if (!failure) break;
    const silent = failure.kind === 'timeout' && link.counters.replies === replies_before;
    // A unit that never answered at the first base is rarely there at all.
    if (failure.kind === 'exception' || failure.kind === 'link' || attempt >= (silent ? 1 : ATTEMPTS))
      return undefined;
  }
  const ids = [...new Set(walk.models.map(({ id }) => id))];
  return [`SunSpec models ${ids.join(', ')}`, ...(await maker(walk, read))];
}

async function maker(
  { models }: ChainWalk,
  read: (address: number, count: number, into: Uint16Array) => Promise<ReadFailure | undefined>,
): Promise<string[]> {
  const common = models.find(({ id }) => id === COMMON_MODEL);
  const { points } = MODELS.get(COMMON_MODEL)!.fixed;
  const texts: string[] = [];
  for (const name of ['Mn', 'Md']) {
    const point = points.get(name);
    if (!common || !point) continue;
    const words = new Uint16Array(point.size);
    if (await read(common.address + point.offset, point.size, words)) continue;
    texts.push(readText(words, 0, point.size) ?? '');
  }
  const text = texts.filter(Boolean).join(' ');
  return text === '' ? [] : [`it calls itself "${text}"`];
}
