/** What is said of a write-ahead log that grows. */
import { expect, test } from 'vitest';
import { type GatewayParts, gatewayRules } from './gateway-rules.ts';

const rule = gatewayRules().find(({ id }) => id === 'storage_wal_held')!;

function found(wal_bytes: number, wal_held: string | undefined) {
  const store = { wal_bytes, wal_held } as GatewayParts['store'];
  return rule.find({ parts: { store } as GatewayParts, t_ms: 0, mono_ms: 0, active: undefined });
}

test('a write-ahead log that is held raises an alert with what holds it, updated when it has grown fourfold', () => {
  const wal_held = 'cannot be written back, as process 7 (sqlite3) does not end a reading of it';
  expect(found(5e6, wal_held)).toEqual({
    message: `The write-ahead log of the database, 5 MB, grows: it ${wal_held}`,
    value: 5,
    unit: 'MB',
    stage: 1,
  });
  expect([4e6, 15e6, 16e6, 63e6, 64e6].map(bytes => found(bytes, wal_held)?.stage)).toEqual([1, 1, 2, 2, 3]);
  expect(found(5e9, undefined)).toBeUndefined();
});
