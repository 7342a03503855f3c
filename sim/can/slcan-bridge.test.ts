/** The adapter's side of slcan: commands as the manual says, frames both ways, any rubbish survived. */
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualCanBus } from '../../drivers/can/virtual-bus.ts';
import { SlcanBridge } from './slcan-bridge.ts';

async function rig(bitrate_bps: number | null = 250_000) {
  let output = '';
  const stream = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      output += bytes.toString('latin1');
      done();
    },
  });
  const bus = new VirtualCanBus('wire');
  const lost: string[] = [];
  const bridge = new SlcanBridge(
    bus,
    bitrate_bps ?? undefined,
    async () => ({ stream, place: 'here' }),
    reason => lost.push(reason),
  );
  await bridge.open();
  const received: string[] = [];
  const node = bus.attach(({ id, data, length }) =>
    received.push(`${id.toString(16)} ${Buffer.from(data.subarray(0, length)).toString('hex')}`),
  );
  const say = (text: string) => {
    output = '';
    stream.emit('data', Buffer.from(text, 'latin1'));
    return output;
  };
  const send = () => {
    output = '';
    node.send({ id: 0x2f4, extended: false, data: Uint8Array.of(1, 0xab), length: 2 });
    node.send({ id: 0x18f128f4, extended: true, data: new Uint8Array(0), length: 0 });
    return output;
  };
  return { say, send, received, bridge, lost };
}

test('opened at the bit rate of the bus it carries frames both ways', async () => {
  const { say, send, received } = await rig();
  expect(send()).toBe('');
  expect(say('\r\rC\rS5\rO\r')).toBe('\r\r\r\r\r');
  expect(send()).toBe('t2F4201AB\rT18F128F40\r');
  expect(say('t12320102\r')).toBe('z\r');
  expect(say('T1234567801F\r')).toBe('\x07');
  expect(say('T123456781FF\rF\r')).toBe('Z\rF00\r');
  expect(received).toEqual(['123 0102', '12345678 ff']);
  expect(say('O\r')).toBe('\x07');
  expect(say('C\r')).toBe('\r');
  expect(send()).toBe('');
});

test('at another bit rate it receives errors and nothing else', async () => {
  const { say, send, received } = await rig();
  say('S6\rO\r');
  expect(send()).toBe('');
  expect(say('F\r')).toBe('F80\r');
  say('t12320102\r');
  expect(received).toEqual([]);
});

test('listening only, it sends nothing', async () => {
  const { say, send, received } = await rig(null);
  expect(say('L\r')).toBe('\r');
  expect(send()).toContain('t2F4');
  expect(say('t12320102\r')).toBe('\x07');
  expect(received).toEqual([]);
});

test('any bytes are survived, and an adapter closed and opened afterwards works', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async rubbish => {
      const { say, send } = await rig();
      say(Buffer.from(rubbish).toString('latin1'));
      say('\rC\rS5\rO\r');
      expect(send()).toBe('t2F4201AB\rT18F128F40\r');
    }),
  );
});

test('closing reports no loss, and frames stay inside', async () => {
  const { say, send, bridge, lost } = await rig();
  say('S5\rO\r');
  await bridge.close();
  await bridge.close();
  expect(send()).toBe('');
  expect(lost).toEqual([]);
});
