/** The table `meta`: what the file says of itself, by name. */
import type { Database, Statement } from 'better-sqlite3';

export class MetaTable {
  readonly #get: Statement<[string], string>;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    this.#get = db.prepare<[string], string>('SELECT value FROM meta WHERE name = ?').pluck();
  }

  get(name: string): string | undefined {
    return this.#get.get(name);
  }

  /** Within a transaction of the writer. */
  set(name: string, value: string): void {
    this.#db
      .prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
      .run(name, value);
  }
}
