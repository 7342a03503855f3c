/** What the systemd unit starts, made anew and with its flags, for benches of the whole program. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GatewayProcess, startGateway } from '../test/support/gateway-process.ts';

const root = new URL('../', import.meta.url).pathname;
export const DEMO_CONFIG = join(root, 'daemon/config/demo.yaml');

/** `bms-gateway run` as on a box. */
export function startAsOnBox(env: Record<string, string>): GatewayProcess {
  execFileSync(process.execPath, [join(root, 'daemon/bundle.mjs')], { stdio: 'inherit' });
  const unit = readFileSync(join(root, 'systemd/bms-gateway.service'), 'utf8');
  const [, command] = /^ExecStart=\S+ (.*) run$/m.exec(unit) ?? [];
  const [, arenas] = /^Environment=MALLOC_ARENA_MAX=(.*)$/m.exec(unit) ?? [];
  if (command === undefined || arenas === undefined) throw new Error('the unit starts something else');
  const program = command.split(' ').map(word => word.replace('/opt/bms-gateway/', root));
  return startGateway(['run'], { MALLOC_ARENA_MAX: arenas, ...env }, undefined, program);
}
