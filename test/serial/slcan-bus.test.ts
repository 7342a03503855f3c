/**
 * The slcan bus against real serial ports: socat makes a pair of pseudo terminals, `cat` writes and reads the
 * adapter's side byte by byte.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import type { SlcanConnection } from '../../drivers/can/connections.ts';
import { SlcanBus } from '../../drivers/can/slcan-bus.ts';

const hasSocat = spawnSync('socat', ['-V']).status === 0;
const ptyTest = hasSocat || process.env.CI === 'true' ? test : test.skip;
if (!hasSocat) process.stderr.write('slcan over a pty: skipped, socat is not installed\n');

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

function run(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin?.on('error', () => {});
  running.push(child);
  return child;
}

const clock = new ManualClock();

/** Moves time on, slowly enough for real bytes to travel, until `done` says so. */
async function until(done: () => boolean, what: string, step_ms = 5): Promise<void> {
  for (let i = 0; i < 5000; i++) {
    if (done()) return;
    clock.advance(step_ms);
    // An answer takes its way through two processes, and longer where the machine is busy.
    await setTimeout(Math.max(2, step_ms / 6));
  }
  expect.fail(`waited in vain for ${what}`);
}

/** A serial port with an adapter at its other end, which `answers` says how to play. */
async function rig(answers: (command: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), 'slcan-'));
  const [near, far] = [join(folder, 'near'), join(folder, 'far')];
  const plug = async () => {
    const socat = run('socat', [`pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`]);
    await until(() => existsSync(near) && existsSync(far), 'the ports');
    const reader = run('cat', [far]);
    const writer = run('sh', ['-c', `exec cat > ${far}`]);
    let line = '';
    reader.stdout?.on('data', (bytes: Buffer) => {
      for (const letter of bytes.toString('latin1')) {
        if (letter !== '\r') line += letter;
        else {
          commands.push(line);
          writer.stdin?.write(answers(line), 'latin1');
          line = '';
        }
      }
    });
    const unplug = async () => {
      for (const child of [socat, reader, writer]) child.kill('SIGKILL');
      await until(() => !existsSync(near) || socat.signalCode !== null, 'the unplugging');
      rmSync(near, { force: true });
      rmSync(far, { force: true });
    };
    return { say: (text: string) => writer.stdin?.write(text, 'latin1'), unplug };
  };
  const commands: string[] = [];
  const adapter = await plug();
  const connection: SlcanConnection = { id: 'usb', type: 'slcan', port: near, bitrate_bps: 250_000 };
  const bus = new SlcanBus(connection, clock);
  const frames: string[] = [];
  const states: [string, string | undefined][] = [];
  await bus.open([], {
    onFrame: ({ id, data, length }) =>
      frames.push(`${id.toString(16)}#${Buffer.from(data.subarray(0, length)).toString('hex')}`),
    onState: (state, reason) => states.push([state, reason]),
  });
  const state = () => states.at(-1)?.[0];
  const reason = () => states.at(-1)?.[1] ?? '';
  const end = async () => {
    let closed = false;
    void bus.close().then(() => {
      closed = true;
    });
    await until(() => closed, 'the end', 1);
    rmSync(folder, { recursive: true, force: true });
  };
  return { bus, adapter, plug, commands, frames, states, state, reason, end };
}

/** As CANable and CANUSB answer; C is refused while nothing is open. */
const polite = (command: string) => (command === 'C' ? '\x07' : command === 'F' ? 'F00\r' : '\r');

ptyTest('sets the adapter up, reads frames among garbage, sends, and closes the channel', async () => {
  const { bus, adapter, commands, frames, state, end } = await rig(polite);
  await until(() => state() === 'up', 'the bus');
  expect(commands).toEqual(['', '', 'C', 'S5', 'O']);
  adapter.say('garbage\xff\rt2F481301D71133006400\rt2F4213');
  await until(() => frames.length === 1, 'the first frame');
  adapter.say('01\rT18E028F48AD0EAB0EA30EA60E\r');
  await until(() => frames.length === 3, 'the others');
  expect(frames).toEqual(['2f4#1301d71133006400', '2f4#1301', '18e028f4#ad0eab0ea30ea60e']);
  expect(bus.counters.malformed_lines).toBe(1);
  const request = { id: 0x18900140, extended: true, data: new Uint8Array(8), length: 8 };
  expect(bus.send(request)).toBe(true);
  await until(() => commands.includes('T1890014080000000000000000'), 'the request');
  await end();
  await until(() => commands.at(-1) === 'C', 'the closing');
  expect(bus.send(request)).toBe(false);
});

ptyTest('an adapter that refuses the bit rate is reported, and tried again', async () => {
  let speeds = 0;
  const { states, state, end } = await rig(command =>
    command === 'S5' && speeds++ === 0 ? '\x07' : polite(command),
  );
  await until(() => state() === 'up', 'the second try');
  expect(states[0]).toEqual(['down', expect.stringContaining('refused bit rate 250000')]);
  await end();
});

ptyTest('an adapter that never answers is in doubt until its first frame', async () => {
  const { adapter, commands, frames, state, reason, end } = await rig(() => '');
  await until(() => state() === 'degraded', 'the doubt');
  expect(reason()).toContain('is it an slcan adapter?');
  adapter.say('t3551AA\r');
  await until(() => frames.length === 1, 'the frame');
  expect(state()).toBe('up');
  // It never answers, so that a quiet bus says nothing about it.
  await until(() => commands.filter(command => command === 'F').length > 5, 'the questions', 100);
  expect(state()).toBe('up');
  await end();
});

ptyTest('an adapter that does not know the question for its state is well all the same', async () => {
  const { bus, commands, states, end } = await rig(command => (command === 'F' ? '\x07' : polite(command)));
  await until(() => commands.filter(command => command === 'F').length > 5, 'the questions', 100);
  expect(states).toEqual([['up', undefined]]);
  expect(bus.counters.refused_commands).toBe(0);
  await end();
});

ptyTest(
  'bus errors the adapter reports degrade the bus; an adapter that fell silent is opened again',
  async () => {
    let flags = 'F80\r';
    const { bus, commands, state, reason, end } = await rig(command =>
      command === 'F' ? flags : polite(command),
    );
    await until(() => state() === 'degraded', 'the fault', 50);
    expect(reason()).toContain('bus errors');
    flags = 'F00\r';
    await until(() => state() === 'up', 'its end', 50);
    flags = '';
    await until(() => state() === 'down', 'the silence', 100);
    expect(reason()).toContain('does not answer');
    commands.length = 0;
    flags = 'F00\r';
    await until(() => state() === 'up', 'the reopening');
    expect(commands).toContain('O');
    expect(bus.counters.reopenings).toBe(1);
    await end();
  },
);

ptyTest('an unplugged adapter is noticed, and used again when it is back', async () => {
  const { bus, adapter, plug, frames, state, reason, end } = await rig(polite);
  await until(() => state() === 'up', 'the bus');
  await adapter.unplug();
  await until(() => state() === 'down', 'the unplugging to be noticed');
  await until(() => reason().includes('cannot be opened'), 'a try without adapter');
  const again = await plug();
  await until(() => state() === 'up', 'the bus again');
  again.say('t3551AA\r');
  await until(() => frames.length === 1, 'a frame');
  expect(bus.counters.reopenings).toBe(1);
  await end();
});

ptyTest('close is safe before, during and after opening, and twice', async () => {
  const connection: SlcanConnection = { id: 'usb', type: 'slcan', port: '/dev/none', bitrate_bps: 500_000 };
  const bus = new SlcanBus(connection, clock);
  await bus.close();
  const states: string[] = [];
  await bus.open([], { onFrame() {}, onState: state => states.push(state) });
  await bus.close();
  await bus.close();
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve));
  clock.advance(100_000);
  expect(states).toEqual([]);
  bus.restart();
  expect(bus.send({ id: 1, extended: false, data: new Uint8Array(1), length: 1 })).toBe(false);
});
