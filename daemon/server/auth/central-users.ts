/** Takes over the users that a pull from the centre brought, and says what changed. */
import type { Logger } from '../../../core/log.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import { isUsableHash } from './passwords.ts';
import type { CentralUser, UserDirectory } from './users.ts';

export class CentralUsers {
  readonly #users: UserDirectory;
  readonly #audit: AuditLog;
  readonly #log: Logger;
  /** Told once, not at every pull. */
  #left_out = '';

  constructor(users: UserDirectory, audit: AuditLog, log: Logger) {
    this.#users = users;
    this.#audit = audit;
    this.#log = log;
  }

  /** Those not among them are removed here, and their sessions end. */
  async accept(pulled: readonly CentralUser[]): Promise<void> {
    const usable = pulled.filter(user => isUsableHash(user.password_hash));
    const left_out = pulled.filter(user => !usable.includes(user)).map(user => user.username);
    if (left_out.join(' ') !== this.#left_out && left_out.length > 0)
      this.#log.warn(
        { users: left_out.slice(0, 20).join(' ') },
        'users of the centre were left out: users.password_hash is not what `bms-gateway hash-password` prints',
      );
    this.#left_out = left_out.join(' ');
    const changed = await this.#users.replaceCentral(usable);
    if (changed.length === 0) return;
    this.#audit.record({ actor: 'system', action: 'user.pull', target: 'central users', new: { changed } });
    this.#log.info({ users: usable.length, changed: changed.length }, 'took over users of the centre');
  }
}
