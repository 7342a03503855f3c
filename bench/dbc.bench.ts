/** DBC decode on one core: an 8-signal message, against the rate of merely reading its 8 bytes as numbers. */
import { PerformanceObserver } from 'node:perf_hooks';
import { parseDbc } from '../drivers/can/dbc/dbc-parser.ts';
import { MessageDecoder } from '../drivers/can/dbc/message-decoder.ts';
import { bestRate, perSecond, ratio } from './rate.ts';

const FRAMES = 1_000_000;
const GOAL_FRAMES_PER_S = 1_000_000;

const signals = Array.from(
  { length: 8 },
  (_, i) =>
    ` SG_ Signal${i} : ${i % 2 === 0 ? `${i * 8}|8@1+` : `${i * 8 + 7}|8@0-`} (0.1,-40) [0|0] "" Vector__XXX`,
);
const DBC = `VERSION ""\nBO_ 256 Eight: 8 Vector__XXX\n${signals.join('\n')}\n`;

export async function benchDbc(): Promise<string[]> {
  const decoder = new MessageDecoder(parseDbc(DBC).messages[0]);
  const frame = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  let sum = 0;
  const decode = () => {
    for (let i = 0; i < FRAMES; i++) {
      frame[0] = i & 0xff;
      decoder.decode(frame, 8);
      sum += decoder.values[7];
    }
  };
  const read = () => {
    for (let i = 0; i < FRAMES; i++) {
      frame[0] = i & 0xff;
      for (let byte = 0; byte < 8; byte++) sum += frame[byte] * 0.1 - 40;
    }
  };
  const decoded = await bestRate(5, FRAMES, decode);
  const raw = await bestRate(5, FRAMES, read);
  const collections = await countCollections(() => {
    // Without the sum, which is another number on the heap with every frame.
    for (let i = 0; i < 5 * FRAMES; i++) decoder.decode(frame, 8);
  });
  if (!Number.isFinite(sum)) throw new Error('decoded values must be finite');
  return [
    `decode  ${perSecond(decoded, 'frames')} of 8 signals (goal ${perSecond(GOAL_FRAMES_PER_S, 'frames')})`,
    `memory  ${collections} garbage collections in ${(5 * FRAMES).toLocaleString('en')} frames (goal 0)`,
    `raw     ${perSecond(raw, 'frames')} of 8 bytes scaled; ${ratio(decoded, raw, 0.05)}`,
  ];
}

/** Garbage collections while `work` runs: none where nothing is allocated. */
async function countCollections(work: () => void): Promise<number> {
  let count = 0;
  const observer = new PerformanceObserver(list => {
    count += list.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  work();
  await new Promise(resolve => setTimeout(resolve, 50));
  observer.disconnect();
  return count;
}
