/** The binary feed over real sockets: the same states as in JSON, in fewer bytes, whole after every reconnect. */
import { expect, test } from 'vitest';
import { BINARY_PROTOCOL, JSON_PROTOCOL } from '../../../core/contract/live-binary.ts';
import { start } from '../testing/live.ts';
import type { TestClient } from '../testing/live-client.ts';

const ROOMS = ['fleet', 'battery:north', 'pack:n1', 'alerts', 'system'];

test('binary and JSON clients receive the same', async () => {
  const { site, connect } = await start();
  const [binary, json] = [await connect('una', [BINARY_PROTOCOL]), await connect('una', [JSON_PROTOCOL])];
  for (const client of [binary, json]) for (const room of ROOMS) await client.subscribed(room);
  for (let i = 0; i < 30; i++) {
    site.setCells(i % 2, 3 + (i % 8) / 10);
    if (i % 5 === 0) site.judge(0);
    site.clock.advance(250);
    for (const client of [binary, json]) await client.settled();
  }
  const newest = (client: TestClient) =>
    Object.fromEntries(client.states().map(state => [state.room, JSON.stringify(state)]));
  expect(newest(binary)).toEqual(newest(json));
  expect(binary.states().length).toBe(json.states().length);
  expect(binary.binary_bytes).toBeLessThan(json.state_text_bytes / 3);
});

test('the sequence of a room rises by one with each state; one that was not new is not counted', async () => {
  const { site, connect } = await start();
  const client = await connect('una', [BINARY_PROTOCOL]);
  await client.subscribed('pack:n1');
  for (const voltage_v of [3.1, 3.1, 3.2, 3.3]) {
    site.setCells(0, voltage_v);
    site.clock.advance(200);
    await client.settled();
  }
  const numbers = client.states().map(({ seq }) => seq);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  expect(numbers.length).toBeGreaterThan(3);
});

test('a new connection gets the whole state at once, structure and all', async () => {
  const { site, connect } = await start();
  const before = await connect('una', [BINARY_PROTOCOL]);
  await before.subscribed('pack:n1');
  before.socket.terminate();
  await before.closed;
  site.setCells(0, 3.456);
  const after = await connect('una', [BINARY_PROTOCOL]);
  const state = await after.subscribed('pack:n1');
  expect(state).toMatchObject({ data: { cells: { voltage_v: { values: [3.456, 3.456, 3.456, 3.456] } } } });
});

test('leaving a room and coming back brings the structure again', async () => {
  const { site, connect } = await start();
  const [client, other] = [await connect('una', [BINARY_PROTOCOL]), await connect('una', [BINARY_PROTOCOL])];
  for (const one of [client, other]) await one.subscribed('pack:n1');
  client.send({ type: 'unsubscribe', room: 'pack:n1' });
  await client.next('unsubscribed');
  client.forget('pack:n1');
  site.setCells(0, 3.4);
  const state = await client.subscribed('pack:n1');
  expect(state).toMatchObject({
    room: 'pack:n1',
    data: { cells: { voltage_v: { values: [3.4, 3.4, 3.4, 3.4] } } },
  });
});

test('of the subprotocols offered the gateway takes the best it knows; without one it speaks JSON', async () => {
  const { connect } = await start();
  const taken = async (offered: string[]) => (await connect('una', offered)).socket.protocol;
  expect(await taken([])).toBe('');
  expect(await taken([JSON_PROTOCOL, BINARY_PROTOCOL])).toBe(BINARY_PROTOCOL);
  expect(await taken(['bms.v99', JSON_PROTOCOL])).toBe(JSON_PROTOCOL);
});
