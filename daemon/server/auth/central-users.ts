/** Takes over the users that a pull from the centre brought, and says what changed and what was left out. */
import type { Logger } from '../../../core/log.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { CentralRow, PulledUsers } from '../../upstream/central-users.ts';
import { type CentralUser, centralProblem } from './user-record.ts';
import type { UserDirectory } from './users.ts';

const NAMED = 20;

export class CentralUsers {
  readonly #users: UserDirectory;
  readonly #audit: AuditLog;
  readonly #log: Logger;
  /** Logged once, not at every pull. */
  #logged = '';

  constructor(users: UserDirectory, audit: AuditLog, log: Logger) {
    this.#users = users;
    this.#audit = audit;
    this.#log = log;
  }

  /** Those not among them are removed here, and their sessions end. Returns how many were left out. */
  async accept({ rows, beyond }: PulledUsers): Promise<number> {
    const usable = new Map<string, CentralUser>();
    const left_out: string[] = [];
    for (const row of rows) {
      const problem =
        centralProblem(row) ?? (usable.has(row.username ?? '') ? 'username: found twice' : undefined);
      if (problem === undefined) usable.set(row.username ?? '', row as CentralRow & CentralUser);
      else left_out.push(`${JSON.stringify(row.username)}: ${problem}`);
    }
    const left_out_count = left_out.length + beyond;
    this.#logLeftOut(left_out, beyond);
    const changed = await this.#users.replaceCentral([...usable.values()]);
    if (changed.length === 0) return left_out_count;
    this.#audit.record({ actor: 'system', action: 'user.pull', target: 'central users', new: { changed } });
    this.#log.info({ users: usable.size, changed: changed.length }, 'took over users of the centre');
    return left_out_count;
  }

  #logLeftOut(left_out: readonly string[], beyond: number): void {
    const summary = `${left_out.join('; ')} ${beyond}`;
    if (summary !== this.#logged && left_out.length + beyond > 0)
      this.#log.warn(
        { users: left_out.slice(0, NAMED), ...(beyond > 0 && { beyond }) },
        `${left_out.length + beyond} users of the centre were left out: rows of table users that this gateway cannot take`,
      );
    this.#logged = summary;
  }
}
