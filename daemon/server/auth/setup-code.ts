/**
 * The set-up code, by which the first administrator is made without any default password. It lies in a file of the
 * state directory that its account and root alone can read: who can read it could change the users anyway.
 * `bms-gateway setup-code` reads it, and can put a new one there to recover a lost administrator.
 */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Clock } from '../../../core/clock/clock.ts';
import { isDiskFault } from '../../../core/errors.ts';

export const SETUP_CODE_FILE = 'setup-code.json';
const LIFE_MS = 24 * 3_600_000;

const StoredCode = Type.Object({
  code: Type.String({ minLength: 1 }),
  expires_ms: Type.Number(),
  /** Made by hand: it holds although there is an administrator. */
  recovers: Type.Boolean(),
});
export type StoredCode = Static<typeof StoredCode>;
const storedCode = Compile(StoredCode);

export class SetupCodeFile {
  readonly file: string;
  readonly #clock: Clock;
  /** Where the disk takes none: it holds for this run, and the log shows it. */
  #kept: StoredCode | undefined;

  constructor(state_dir: string, clock: Clock) {
    this.file = join(state_dir, SETUP_CODE_FILE);
    this.#clock = clock;
  }

  /** The code that holds now; undefined when there is none, or it has expired. */
  async read(): Promise<StoredCode | undefined> {
    const text = await readFile(this.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || isDiskFault(error)) return undefined;
      throw error;
    });
    const found = text === undefined ? this.#kept : parsed(text);
    return found && found.expires_ms > this.#clock.wallMs() ? found : undefined;
  }

  /** A new code, instead of any before it. */
  async renew(recovers: boolean): Promise<StoredCode> {
    const made: StoredCode = { code: makeCode(), expires_ms: this.#clock.wallMs() + LIFE_MS, recovers };
    try {
      await writePrivately(this.file, `${JSON.stringify(made)}\n`);
    } catch (error) {
      if (!isDiskFault(error)) throw error;
      this.#kept = made;
    }
    return made;
  }

  /** It holds no longer. */
  async remove(): Promise<void> {
    this.#kept = undefined;
    await rm(this.file, { force: true }).catch(error => {
      if (!isDiskFault(error)) throw error;
    });
  }
}

/** Whether this is the code, compared in constant time; dashes, blanks and case do not matter. */
export function isSameCode(given: string, code: string): boolean {
  const digest = (text: string) =>
    createHash('sha256').update(text.toLowerCase().replace(/[\s-]/g, '')).digest();
  return timingSafeEqual(digest(given), digest(code));
}

/** Readable aloud and without look-alikes: three groups of four, 59 random bits. */
function makeCode(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return [group(), group(), group()].join('-');
}

/** Whole or not at all, for the owner of the directory alone, also when root writes it. */
async function writePrivately(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  const { uid, gid } = await stat(dirname(file));
  if (process.getuid?.() === 0) await chown(draft, uid, gid);
  await rename(draft, file);
}

function parsed(text: string): StoredCode | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return storedCode.Check(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
