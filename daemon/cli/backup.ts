/** `bms-gateway backup`: a checked copy of the storage in a new directory, also while the gateway runs. */
import { join, resolve } from 'node:path';
import type { Clock } from '../../core/clock/clock.ts';
import { SESSION_KIND } from '../server/auth/sessions.ts';
import { SIGNING_KEYS_KIND } from '../server/auth/signing-keys.ts';
import { backUp } from '../store/read/backup.ts';
import { STORE_FILE } from '../store/sqlite-store.ts';
import { UsageError } from './usage.ts';

/** A copy is carried about: it must not let its finder in, nor bring back who was logged out. */
const LEFT_OUT = [SESSION_KIND, SIGNING_KEYS_KIND];

export interface BackupPlace {
  readonly state_dir: string;
  readonly directory: string | undefined;
}

/** Exit code 0. @throws UsageError, GatewayError */
export async function backup(
  { state_dir, directory }: BackupPlace,
  version: string,
  clock: Clock,
): Promise<number> {
  if (directory === undefined)
    throw new UsageError('backup needs the directory to make; see bms-gateway backup --help');
  const begun_ms = clock.monoMs();
  const { files, last_seq, parts_damaged } = await backUp({
    database_file: join(state_dir, STORE_FILE),
    directory: resolve(directory),
    t_ms: clock.wallMs(),
    version,
    left_out: LEFT_OUT,
    onStep: step => process.stderr.write(`${step} …\n`),
  });
  for (const damaged of parts_damaged)
    process.stderr.write(`cannot be read, in the original neither: ${damaged}\n`);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const seconds = (clock.monoMs() - begun_ms) / 1000;
  process.stdout.write(
    `${resolve(directory)}: ${(bytes / 1e6).toFixed(1)} MB, rows up to ${last_seq}, written and checked in ${seconds.toFixed(1)} s\n`,
  );
  return 0;
}
