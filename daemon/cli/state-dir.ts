/** Where a command that looks at the gateway's files finds them. */
import { existsSync } from 'node:fs';

/** Where the packaged unit keeps its state: root at a terminal has no variable that says so. */
const INSTALLED_STATE_DIR = '/var/lib/bms-gateway';

/** `named_dir` undefined: nobody has named one, and `fallback_dir` is no more than a guess. */
export function stateDirectory(named_dir: string | undefined, fallback_dir: string): string {
  return named_dir ?? (existsSync(INSTALLED_STATE_DIR) ? INSTALLED_STATE_DIR : fallback_dir);
}
