/** `bms-gateway migrate`: brings the central database up to this program, or says what it lacks. */

import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Environment } from '../config/environment.ts';
import { loadNamedConfig } from '../config/named-profiles.ts';
import { POSTGRES_MIGRATIONS } from '../store/file/migration-files.ts';
import { makeClient } from '../upstream/client.ts';
import { describeCentre, upstreamFailure } from '../upstream/failure.ts';
import { migrateCentre, pendingCentre } from '../upstream/migrate.ts';
import { UsageError } from './usage.ts';

export interface MigrateCommand {
  /** Only say what is pending. */
  readonly check: boolean;
  readonly config_file: string;
  readonly environment: Environment;
}

/** Exit code 0: up to date now. 1 with `check`: something is pending. @throws UsageError, GatewayError */
export async function migrate(command: MigrateCommand): Promise<{ code: number; text: string }> {
  const socket = new Socket();
  const client = makeClient(databaseUrl(command), 'bms-gateway migrate', socket);
  const { host, port, database = '', user = '' } = client;
  const centre = { host, port, database: database ?? '', user: user ?? '' };
  const place = describeCentre(centre);
  client.on('error', () => {});
  try {
    await client.connect();
    if (command.check) {
      const pending = await pendingCentre(client, POSTGRES_MIGRATIONS, place);
      const lines = pending.map(name => `${name} is pending`);
      return { code: pending.length > 0 ? 1 : 0, text: text(place, lines) };
    }
    const applied = await migrateCentre(client, POSTGRES_MIGRATIONS, place);
    return {
      code: 0,
      text: text(
        place,
        applied.map(name => `${name} applied`),
      ),
    };
  } catch (error) {
    throw upstreamFailure(centre, error);
  } finally {
    await client.end().catch(() => {});
    socket.destroy();
  }
}

function text(place: string, lines: readonly string[]): string {
  return `${place}\n${lines.length > 0 ? lines.join('\n') : 'up to date, nothing to do'}\n`;
}

function databaseUrl({ environment, config_file }: MigrateCommand): string {
  if (environment.database_url !== undefined) return environment.database_url;
  const configured = existsSync(config_file)
    ? loadNamedConfig(config_file, environment).config.upstream.database_url
    : undefined;
  if (configured !== undefined) return configured;
  throw new UsageError(
    `migrate needs a database: set DATABASE_URL, or upstream.database_url in ${config_file} (--config)`,
  );
}
