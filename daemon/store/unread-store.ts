/**
 * What is answered while the file can be neither read nor written: that there is nothing, so that the gateway can start
 * and show what it measures. What somebody asks for by name (a chart, an export) is refused instead.
 */
import { GatewayError } from '../../core/errors.ts';
import type { ReaderMethods } from './worker-messages.ts';

const NOTHING: { readonly [K in keyof ReaderMethods]?: ReaderMethods[K][1] } = {
  get: null,
  list: [],
  alerts: [],
  past_alerts: [],
  alert_events: [],
  clock_state: { records: [], newest_ms: null },
};

export function unreadAnswer<K extends keyof ReaderMethods>(method: K, file: string): ReaderMethods[K][1] {
  const answer = NOTHING[method];
  if (answer === undefined)
    throw new GatewayError('STORE_FAILED', `${file}: what is stored cannot be read at present`);
  return structuredClone(answer) as ReaderMethods[K][1];
}
