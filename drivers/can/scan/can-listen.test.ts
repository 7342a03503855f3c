/** Listening sends nothing; asking sends the documented requests of the profiles named, and nothing else. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { loadProfiles } from '../../profiles/load.ts';
import { VirtualBusPort, VirtualCanHub } from '../virtual-bus.ts';
import { CanListener } from './can-listen.ts';

const { profiles } = loadProfiles();
const daly = profiles.get('daly-can')!;

function bench() {
  const clock = new ManualClock();
  const bus = new VirtualCanHub().bus('bus');
  const sent: string[] = [];
  const node = bus.attach(({ id, data, length }) => {
    sent.push(`${id.toString(16)} ${Buffer.from(data.subarray(0, length)).toString('hex')}`);
  });
  return { clock, bus, node, sent, listener: new CanListener(new VirtualBusPort(bus, clock), clock) };
}

test('listening counts ids and periods, and sends nothing', async () => {
  const { clock, node, sent, listener } = bench();
  const listening = listener.listen(1000);
  for (let t = 0; t < 1000; t += 100) {
    await clock.advanceAsync(100);
    if (t < 500) node.send({ id: 0x2f4, extended: false, data: new Uint8Array(8), length: 8 });
  }
  await listening;
  expect(listener.traffic.summary()).toEqual([{ id: '2F4', frames: 5, period_ms: 100 }]);
  expect(sent).toEqual([]);
});

test('asking sends exactly the read requests of the profile, for each address', async () => {
  const { clock, sent, listener } = bench();
  const asked = listener.ask([daly], () => [1, 2], 2000);
  await clock.advanceAsync(2000);
  await asked;
  const expected = daly.can?.polls?.flatMap(({ id, data }) =>
    [1, 2].map(at => `${(id + at * 256).toString(16)} ${data}`),
  );
  expect(new Set(sent)).toEqual(new Set(expected));
});

test('a bus that never comes up is reported with its reason', async () => {
  const { clock, bus, listener } = bench();
  bus.setDown('bus: no such interface');
  const listening = listener.listen(1000);
  const rejection = expect(listening).rejects.toMatchObject({
    code: 'CAN_UNAVAILABLE',
    message: 'bus: no such interface',
  });
  await clock.advanceAsync(1000);
  await rejection;
});
