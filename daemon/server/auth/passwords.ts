/**
 * Passwords as argon2id hashes in PHC string format:
 * `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>` (base64 without padding).
 * Cost: 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet, argon2id), which an edge box can afford.
 */
import { argon2, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { GatewayError } from '../../../core/errors.ts';

export interface Argon2Cost {
  readonly memory_kib: number;
  readonly passes: number;
  readonly lanes: number;
}

export const ARGON2_COST: Argon2Cost = { memory_kib: 19_456, passes: 2, lanes: 1 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
const derive = promisify(argon2);

/** What hashes made elsewhere may cost: no less than guessing should, no more than an edge box can afford. */
const LEAST_MEMORY_KIB = 12 * 1024;
const MAX_MEMORY_KIB = 64 * 1024;
const MAX_PASSES = 4;
const MAX_LANES = 4;

const within = (value: number, least: number, most: number) => value >= least && value <= most;

/** Whether a hash made elsewhere can be taken here. */
export function isUsableHash(phc: string): boolean {
  const cost = costOf(phc);
  return (
    cost !== undefined &&
    within(cost.memory_kib, LEAST_MEMORY_KIB, MAX_MEMORY_KIB) &&
    within(cost.passes, 1, MAX_PASSES) &&
    within(cost.lanes, 1, MAX_LANES)
  );
}

/** Undefined when it is no argon2id PHC string. */
export function costOf(phc: string): Argon2Cost | undefined {
  const found = PHC.exec(phc);
  return found
    ? { memory_kib: Number(found[1]), passes: Number(found[2]), lanes: Number(found[3]) }
    : undefined;
}

/** Memory that is filled in all passes, KiB: the time it takes, in one lane. */
export const workOf = ({ memory_kib, passes }: Argon2Cost) => memory_kib * passes;

/** Hashes and checks with a bound on how many at once: each takes memory and a thread. */
export class PasswordHasher {
  readonly #cost: Argon2Cost;
  readonly #at_once: number;
  readonly #waiting_max: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(cost: Argon2Cost = ARGON2_COST, at_once = 2, waiting_max = 32) {
    this.#cost = cost;
    this.#at_once = at_once;
    this.#waiting_max = waiting_max;
  }

  /** The PHC string of a new password. RATE_LIMITED when too many wait already. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.derive(password, salt, HASH_BYTES, this.#cost);
    const { memory_kib, passes, lanes } = this.#cost;
    return `$argon2id$v=19$m=${memory_kib},t=${passes},p=${lanes}$${base64(salt)}$${base64(hash)}`;
  }

  /**
   * Does the same work whether there is such a user (`phc`) or not (undefined): at least that of the costliest hash
   * that is known here, so that neither a name that exists nor one that does not stands out.
   */
  async verify(phc: string | undefined, password: string, costliest = this.#cost): Promise<boolean> {
    const found = phc === undefined ? undefined : PHC.exec(phc);
    if (found === null)
      throw new GatewayError('STORE_CORRUPT', 'A stored password hash is not an argon2id PHC string');
    let is_right = false;
    let work = 0;
    if (found) {
      const [, memory, passes, lanes, salt, hash] = found as unknown as string[];
      const expected = Buffer.from(hash!, 'base64');
      const cost = { memory_kib: Number(memory), passes: Number(passes), lanes: Number(lanes) };
      const actual = await this.derive(password, Buffer.from(salt!, 'base64'), expected.length, cost);
      is_right = timingSafeEqual(actual, expected);
      work = workOf(cost);
    }
    const lacking = workOf(costliest) - work;
    if (lacking > 0) {
      const memory_kib = Math.max(8 * costliest.lanes, Math.min(costliest.memory_kib, lacking));
      const passes = Math.max(1, Math.round(lacking / memory_kib));
      await this.derive(password, randomBytes(SALT_BYTES), HASH_BYTES, { ...costliest, memory_kib, passes });
    }
    return is_right;
  }

  /** What hashes made here cost. */
  get cost(): Argon2Cost {
    return this.#cost;
  }

  protected async derive(
    password: string,
    nonce: Buffer,
    tagLength: number,
    cost: Argon2Cost,
  ): Promise<Buffer> {
    await this.#turn();
    try {
      // NFC, so that a password typed on another keyboard is the same bytes (RFC 8265, section 4.2).
      return await derive('argon2id', {
        message: password.normalize('NFC'),
        nonce,
        tagLength,
        memory: cost.memory_kib,
        passes: cost.passes,
        parallelism: cost.lanes,
      });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= this.#at_once) {
      if (this.#waiting.length >= this.#waiting_max)
        throw new GatewayError('RATE_LIMITED', 'Too many logins at this moment; try again in a few seconds');
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
    this.#running++;
  }
}

/** Readable aloud and without look-alikes: five groups of four, 99 random bits. */
export function generatePassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return Array.from({ length: 5 }, group).join('-');
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
