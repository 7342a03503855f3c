/** RTU framing by properties: a reply is found in any surroundings, and nothing else is taken for one. */
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ModbusError, ModbusReply, ReadRequest } from '../reply.ts';
import { crc16, encodeRtu } from './crc.ts';
import { RtuFraming } from './rtu-framing.ts';

class Line extends PassThrough {
  readonly sent: Uint8Array[] = [];
  override write(bytes: Uint8Array): boolean {
    this.sent.push(bytes);
    return true;
  }
  receive(bytes: Uint8Array): void {
    this.emit('data', Buffer.from(bytes));
  }
}

interface Received {
  error: ModbusError | null;
  reply: ModbusReply | undefined;
}

function lineFor(echo = false) {
  const line = new Line();
  const counters = { stray_bytes: 0 };
  const framing = new RtuFraming(line, { echo, counters });
  const received: Received[] = [];
  const ask = (request: ReadRequest) =>
    framing.send(request, (error, reply) => received.push({ error, reply }));
  return { line, counters, framing, received, ask };
}

const request: ReadRequest = { unit: 0x81, reply_unit: 0x51, code: 3, address: 0x38, count: 4 };
const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const reply = encodeRtu(0x51, Uint8Array.of(3, 8, ...data));
const bytes = (max: number) => fc.uint8Array({ maxLength: max });

test('the check sum is that of the Modbus paper', () => {
  expect(crc16(Uint8Array.of(0x02, 0x07))).toBe(0x1241);
  expect(Buffer.from(encodeRtu(0, Uint8Array.of(4, 0x20, 0, 0, 0x1a))).toString('hex')).toBe(
    '00042000001a7bd0',
  );
});

test('a reply is found behind noise and in pieces, from the unit that answers', () => {
  fc.assert(
    fc.property(bytes(200), fc.integer({ min: 1, max: 20 }), fc.boolean(), (noise, size, echo) => {
      const { line, counters, received, ask } = lineFor(echo);
      ask(request);
      const echoed = echo ? line.sent[0] : new Uint8Array(0);
      const all = Uint8Array.of(...echoed, ...noise, ...reply);
      for (let at = 0; at < all.length; at += size) line.receive(all.subarray(at, at + size));
      expect(received).toHaveLength(1);
      expect([...received[0].reply!.buffer]).toEqual([...data]);
      expect(counters.stray_bytes).toBe(noise.length);
    }),
  );
});

test('whatever is not the awaited frame answers nothing', () => {
  const other = fc.oneof(
    bytes(300),
    fc.constantFrom(
      reply.subarray(0, -1),
      encodeRtu(0x81, Uint8Array.of(3, 8, ...data)),
      encodeRtu(0x51, Uint8Array.of(4, 8, ...data)),
      encodeRtu(0x51, Uint8Array.of(3, 6, 1, 2, 3, 4, 5, 6)),
      Uint8Array.from(reply, (byte, i) => (i === 4 ? byte ^ 1 : byte)),
    ),
  );
  fc.assert(
    fc.property(other, received_bytes => {
      const { line, framing, received, ask } = lineFor();
      ask(request);
      line.receive(received_bytes);
      expect(received).toHaveLength(0);
      expect(framing.giveUp() === undefined).toBe(received_bytes.length === 0);
    }),
  );
});

test('what comes before the request or after it was given up is counted and forgotten', () => {
  const { line, counters, framing, received, ask } = lineFor();
  line.receive(reply);
  ask(request);
  framing.giveUp();
  line.receive(reply);
  ask({ ...request, address: 0x44 });
  expect(received).toHaveLength(0);
  expect(counters.stray_bytes).toBe(2 * reply.length);
  line.receive(encodeRtu(0x51, Uint8Array.of(0x83, 2)));
  expect(received).toEqual([{ error: { message: 'exception', modbusCode: 2 }, reply: undefined }]);
});

test('an announced echo without a reply is silence; an echo nobody announced is named', () => {
  for (const echo of [true, false]) {
    const { line, framing, ask } = lineFor(echo);
    ask(request);
    line.receive(line.sent[0].subarray(0, 3));
    line.receive(line.sent[0].subarray(3));
    if (echo) expect(framing.giveUp()).toBeUndefined();
    else expect(framing.giveUp()).toContain('"echo: true" takes off');
  }
});

test('an adapter that is said to echo but does not is read all the same', () => {
  const { line, received, ask } = lineFor(true);
  ask(request);
  for (const byte of reply) line.receive(Uint8Array.of(byte));
  expect(received).toHaveLength(1);
});

test('a flood keeps memory bounded', () => {
  const { line, framing, received, ask } = lineFor();
  ask(request);
  for (let i = 0; i < 200; i++) line.receive(new Uint8Array(400));
  expect(received).toHaveLength(0);
  expect(framing.giveUp()).toMatch(/^1024 bytes that are no reply/);
});
