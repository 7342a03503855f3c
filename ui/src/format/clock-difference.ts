/** The gateway's clock beside this device's: how far apart, in words. */

import { t } from '../texts/texts.ts';
import { formatUptime } from './time.ts';

/** Further apart a confirmation is refused. The gateway decides; this only saves a question in vain. */
const MAX_APART_MS = 5000;

export interface ClockDifference {
  readonly is_small: boolean;
  readonly text: string;
}

/** What messages take on their way, and a clock that shows whole seconds, are no difference. */
export function clockDifference(gateway_ms: number, device_ms: number): ClockDifference {
  const apart_ms = gateway_ms - device_ms;
  const size_ms = Math.abs(apart_ms);
  const is_small = size_ms <= MAX_APART_MS;
  const { aboutSame, seconds, gatewayAhead, gatewayBehind } = t().times;
  if (size_ms < 1500) return { is_small, text: aboutSame };
  const size =
    size_ms < 60_000
      ? seconds(String(Math.round(size_ms / 1000)))
      : formatUptime(Math.round(size_ms / 60_000) * 60);
  return { is_small, text: (apart_ms < 0 ? gatewayBehind : gatewayAhead)(size) };
}
