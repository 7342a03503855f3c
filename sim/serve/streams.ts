/** The byte streams that bridges stand on: serial ports of this machine, and pseudo terminals made by socat. */
import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, lstatSync, openSync, readlinkSync, unlinkSync } from 'node:fs';
import { Duplex } from 'node:stream';
import type { Clock } from '../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { SerialStream } from '../../drivers/modbus/rtu/serial-stream.ts';

export interface OpenedStream {
  readonly stream: Duplex;
  /** Where others find its other end. */
  readonly place: string;
}

export type OpenStream = () => Promise<OpenedStream>;

/** A pseudo terminal as a target: `pty`, or `pty:` with a path at which it is to be found. */
export interface PtyTarget {
  readonly kind: 'pty';
  readonly link: string | undefined;
}

export const PTY_FORM = 'pty[:LINK]';

export function parsePty(text: string): PtyTarget | undefined {
  const pty = /^pty(?::(.+))?$/.exec(text);
  return pty ? { kind: 'pty', link: pty[1] } : undefined;
}

const OPEN_TIMEOUT_MS = 5000;

/** @throws GatewayError when the port cannot be opened. */
export function serialPort(path: string, baud_rate: number): OpenStream {
  return async () => {
    const stream = new SerialStream({ path, baud_rate, parity: 'none', stop_bits: 1 });
    await new Promise<void>((resolve, reject) => {
      stream.once('connect', resolve);
      stream.once('error', error =>
        reject(new GatewayError('LINK_REFUSED', `${path} cannot be opened: ${describeError(error)}`)),
      );
    });
    return { stream, place: `${path} at ${baud_rate} baud` };
  };
}

/**
 * A new pseudo terminal, raw and without echo. Node cannot make one, and an add-on that can would be one more
 * thing to compile on every machine; the Debian package socat is there where people try devices.
 */
export function pseudoTerminal(link: string | undefined, clock: Clock, program = 'socat'): OpenStream {
  return async () => {
    if (link !== undefined) refuseForeign(link);
    const address = `pty,rawer,echo=0${link === undefined ? '' : `,link=${link}`}`;
    const child = spawn(program, ['-d', '-d', address, 'stdio'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (reason: string) => reject(new GatewayError('LINK_REFUSED', `pty: ${reason}`));
    let output = '';
    child.once('error', error =>
      fail(
        (error as NodeJS.ErrnoException).code === 'ENOENT'
          ? `needs the program ${program}, which is not installed (apt-get install socat)`
          : describeError(error),
      ),
    );
    child.once('exit', () => fail(`${program} ended: ${/ E (.*)/.exec(output)?.[1] ?? output.trim()}`));
    child.stderr.on('data', (bytes: Buffer) => {
      if (output.length < 4096) output += bytes.toString('latin1');
      const made = /PTY is (\S+)/.exec(output);
      if (made) resolve(made[1]);
    });
    const timer = clock.setTimer(() => fail(`${program} made none within 5 s`), OPEN_TIMEOUT_MS);
    try {
      const path = await promise;
      const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
      // Held open here as well: when its last user closes a terminal, the other side would see the end of it.
      const held = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
      child.once('exit', () => stream.destroy());
      stream.once('close', () => {
        child.kill();
        closeSync(held);
      });
      return { stream, place: link ?? path };
    } catch (error) {
      child.kill();
      throw error;
    } finally {
      clock.clearTimer(timer);
    }
  };
}

/** socat replaces whatever stands at the link's path; only the dead link of an earlier run may go. */
function refuseForeign(link: string): void {
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (!found) return;
  const target = found.isSymbolicLink() ? readlinkSync(link) : '';
  if (target.startsWith('/dev/pts/') && !existsSync(target)) unlinkSync(link);
  else
    throw new GatewayError(
      'BAD_REQUEST',
      `${link} is there already${target ? `, for ${target}` : ''}; remove it, or name another`,
    );
}
