/** What the systemd unit starts, made for benches of the whole program. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type GatewayProcess, startGateway } from '../test/support/gateway-process.ts';

const root = new URL('../', import.meta.url).pathname;
export const DEMO_CONFIG = join(root, 'daemon/config/demo.yaml');

/** `bms-gateway run` as on a box. */
export function startAsOnBox(env: Record<string, string>): GatewayProcess {
  execFileSync(process.execPath, [join(root, 'daemon/bundle.mjs')], { stdio: 'inherit' });
  return startGateway(['run'], env, undefined, [join(root, 'dist/bms-gateway.mjs')]);
}
