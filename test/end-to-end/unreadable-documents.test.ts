/** Documents that are no longer what they were: the gateway starts all the same, and says which it left out. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { systemClock } from '../../core/clock/system-clock.ts';
import type { Logger } from '../../core/log.ts';
import { readEnvironment } from '../../daemon/config/environment.ts';
import { loadConfig } from '../../daemon/config/load.ts';
import { Gateway } from '../../daemon/gateway.ts';
import { STORE_FILE } from '../../daemon/store/sqlite-store.ts';
import { temporaryDirectory } from '../../daemon/store/testing/fixtures.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';

const CONFIG = new URL('../../daemon/config/demo.yaml', import.meta.url).pathname;
const profiles = loadProfiles();
const PASSWORD = 'a long enough password';

/** What only use of the gateway makes. */
const MADE = [
  ['settings', 'thresholds'],
  ['alert-rules', '000000001'],
  ['alerts', 'pending'],
  ['siblings', 'rack-01-01'],
  ['api_key', '0123abcd'],
  ['central_user', 'cora'],
  ['user', 'una'],
];

test.each([
  ['no JSON any more', '{"id": "una", \u0000'],
  ['empty', ''],
  [
    'another shape',
    '{"version": 7, "values": [], "keys": [{"key": "short"}], "thresholds": {"soc_low": {}}}',
  ],
  ['a bare number', '7'],
])('with every document %s the gateway starts, and names each', { timeout: 60_000 }, async (_, body) => {
  const directory = temporaryDirectory();
  const environment = readEnvironment({
    BMS_STATE_DIR: join(directory.path, 'state'),
    BMS_HTTP_PORT: '0',
    BMS_ADMIN_PASSWORD: PASSWORD,
  });
  const warned: unknown[] = [];
  const log: Logger = {
    debug: () => {},
    info: () => {},
    warn: facts => warned.push((facts as { document?: string }).document),
    error: () => {},
  };
  const run = async (use: (url: string) => Promise<void>) => {
    const config = loadConfig(CONFIG, environment, profiles);
    const gateway = new Gateway({ config, environment, clock: systemClock, log, version: 'test' });
    const { url } = await gateway.start();
    try {
      await use(url);
    } finally {
      await gateway.stop();
    }
  };
  try {
    await run(async () => {});
    const db = new Database(join(environment.state_dir, STORE_FILE));
    for (const document of MADE) db.prepare('INSERT INTO documents VALUES (?, ?, ?)').run(...document, '{}');
    db.prepare('UPDATE documents SET body = ?').run(body);
    const kept = db.prepare("SELECT kind || '/' || id FROM documents ORDER BY 1").pluck().all() as string[];
    db.close();
    expect(kept).toEqual(expect.arrayContaining(['audit/configuration', 'secret/jwt', 'user/admin']));
    warned.length = 0;
    await run(async url => {
      const login = await fetch(new URL('/api/auth/login', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'admin', password: PASSWORD }),
      });
      expect(login.status).toBe(200);
    });
    // A session that cannot be read is removed: its user logs in again.
    const named = new Set(warned);
    for (const document of kept.filter(name => !name.startsWith('session/')))
      expect(named).toContain(document);
  } finally {
    directory.remove();
  }
});
