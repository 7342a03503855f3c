/** For tests: the parts of a gateway that raises no alert. */
import type { GatewayParts } from '../gateway-rules.ts';

const DAY_MS = 24 * 3_600_000;
/** From here on it is well for 400 days; then its certificate expires. */
export const WELL_FROM_MS = Date.UTC(2026, 0, 1, 12);

export type Parts = { -readonly [K in keyof GatewayParts]: GatewayParts[K] };

/** A gateway that is well, with a centre that has everything. */
export const well = (): Parts => ({
  upstream: {
    state: 'ok',
    reason: undefined,
    code: undefined,
    counters: { batches: 10, lag_rows: 0, last_seq: 5000 },
  },
  store: {
    fault: undefined,
    quarantined: [],
    lost: undefined,
    parts_damaged: 0,
    readings_dropped: 0,
    readings_removed_unsynced: 0,
    first_seq: 1000,
    used_bytes: 1e9,
    max_bytes: 4e9,
    free_bytes: 50e9,
    keep_free_bytes: 64e6,
    wal_bytes: 1e6,
    wal_held: undefined,
  },
  clock: { state: 'ok', reason: null },
  certificate: { valid_until_ms: WELL_FROM_MS + 400 * DAY_MS },
  notify: { failing: [] },
});
