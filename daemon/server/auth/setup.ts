/** The first administrator, or a lost one recovered, by the set-up code. */
import { GatewayError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { isSameCode, type SetupCodeFile, type StoredCode } from './setup-code.ts';
import type { StoredUser } from './user-record.ts';
import type { UserDirectory } from './users.ts';

export class Setup {
  readonly #users: UserDirectory;
  readonly #file: SetupCodeFile | undefined;
  readonly #log: Logger;
  /** One after another: a code makes one administrator, however many ask at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(users: UserDirectory, file: SetupCodeFile | undefined, log: Logger) {
    this.#users = users;
    this.#file = file;
    this.#log = log;
  }

  /** Makes and logs a code while there is no administrator; a code nobody needs is removed. */
  async prepare(): Promise<StoredCode | undefined> {
    if (!this.#file) return undefined;
    const known = await this.#file.read();
    if (await this.#users.hasAdministrator()) {
      if (!known?.recovers) await this.#file.remove();
      return known?.recovers ? known : undefined;
    }
    const code = known ?? (await this.#file.renew(false));
    this.#log.warn(
      { expires: new Date(code.expires_ms).toISOString() },
      `no administrator yet: open the page and enter the set-up code ${code.code} (bms-gateway setup-code shows it too)`,
    );
    return code;
  }

  /** Whether a code is waited for. An expired one is renewed, and the new one logged. */
  async isOpen(): Promise<boolean> {
    if (!this.#file) return false;
    if (await this.#file.read()) return true;
    return (await this.#inTurn(() => this.prepare())) !== undefined;
  }

  /** The new administrator. FORBIDDEN when the code is wrong, or none is waited for. */
  redeem(code: string, username: string, password: string): Promise<StoredUser> {
    return this.#inTurn(async () => {
      const expected = await this.#file?.read();
      if (!this.#file || !expected || !isSameCode(code, expected.code))
        throw new GatewayError(
          'FORBIDDEN',
          'This is not the set-up code, or it has been used or has expired. On the gateway, as root, `bms-gateway setup-code` shows the one that holds',
        );
      const user = await this.#users.makeAdministrator(username, password);
      await this.#file.remove();
      return user;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
