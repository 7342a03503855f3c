/** `bms-gateway setup-code`: shows the code that makes the first administrator, or puts a new one there. */
import { stat } from 'node:fs/promises';
import { systemClock } from '../../core/clock/system-clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { SetupCodeFile } from '../server/auth/setup-code.ts';

export async function setupCode(state_dir: string, is_new: boolean): Promise<string> {
  if (!(await stat(state_dir).catch(() => undefined))?.isDirectory())
    throw new GatewayError(
      'OPTION_INVALID',
      `${state_dir} is no directory; name the gateway's state directory with --state-dir or BMS_STATE_DIR`,
    );
  const file = new SetupCodeFile(state_dir, systemClock);
  try {
    const code = is_new ? await file.renew(true) : await file.read();
    if (code)
      return (
        `${code.code}\n` +
        `Open the gateway's page and enter it there; it holds once, until ${new Date(code.expires_ms).toISOString()}.\n`
      );
  } catch (error) {
    throw new GatewayError(
      'OPTION_INVALID',
      `${file.file}: ${describeError(error)}; run this as root or as the gateway's own account`,
      { cause: error },
    );
  }
  throw new GatewayError(
    'NOT_FOUND',
    `${state_dir} holds no set-up code: there is an administrator, or the gateway has not been started. \`bms-gateway setup-code --new\` makes one, which also recovers a lost administrator`,
  );
}
