/**
 * What can be wrong with the gateway itself: from the parts of its status to what a person should know. A rule says
 * what it finds at this moment; whether that has lasted long enough is for gateway-alerts.ts.
 */
import type { ErrorCode } from '../errors.ts';
import type { Alert, AlertSeverity } from './alert.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const NOTHING_SENT_MS = 15 * MINUTE_MS;
/** After the last loss. */
const LOSS_REMEMBERED_MS = HOUR_MS;
const EXPIRES_SOON_MS = 14 * DAY_MS;
/** Of the size that the file may have. */
const NEARLY_FULL = 0.9;
const NO_LONGER_FULL = 0.85;
/** Times the room that is always kept free on the disk. */
const SHORT_OF_ROOM = 1.25;
const ENOUGH_ROOM = 1.5;

/** Parts of the system status, as far as rules read them. */
export interface GatewayParts {
  readonly upstream: {
    readonly state: 'off' | 'ok' | 'degraded' | 'down';
    readonly reason: string | undefined;
    readonly code: ErrorCode | undefined;
    readonly counters: Readonly<Record<string, number>>;
  };
  readonly store: {
    readonly fault: string | undefined;
    readonly quarantined: readonly string[];
    readonly lost: string | undefined;
    readonly parts_damaged: number;
    readonly readings_dropped: number;
    readonly readings_removed_unsynced: number;
    readonly first_seq: number;
    readonly used_bytes: number;
    readonly max_bytes: number;
    readonly free_bytes: number;
    readonly keep_free_bytes: number;
    readonly wal_bytes: number;
    readonly wal_held: string | undefined;
  };
  readonly clock: { readonly state: 'ok' | 'degraded' | 'down' | 'off'; readonly reason: string | null };
  readonly certificate: { readonly valid_until_ms: number } | null;
  readonly notify: {
    /** Receivers to which nothing goes through, and why. */
    readonly failing: readonly { readonly id: string; readonly reason: string }[];
  };
}

export interface Finding {
  /** What a technician reads. An active alert keeps that of its raising, until `stage` changes or it is cleared. */
  readonly message: string;
  readonly value?: number;
  readonly threshold?: number;
  readonly unit?: string;
  /** It has become another matter: the same alert is updated. */
  readonly stage?: number;
}

export interface Check {
  readonly parts: GatewayParts;
  readonly t_ms: number;
  readonly mono_ms: number;
  /** What this rule has raised and not cleared, also before a restart. */
  readonly active: Alert | undefined;
}

export interface GatewayRule {
  readonly id: string;
  readonly severity: AlertSeverity;
  /** So long it must be found, check after check, before the alert is raised. */
  readonly raise_after_ms: number;
  /** So long it must not be found before the alert is cleared. */
  readonly clear_after_ms: number;
  /** Undefined: there is nothing. May remember what it has seen; called at every check. */
  readonly find: (check: Check) => Finding | undefined;
}

/** Made for each run, as some of them remember. */
export function gatewayRules(): GatewayRule[] {
  return [
    {
      id: 'upstream_identity_conflict',
      severity: 'critical',
      raise_after_ms: 10_000,
      clear_after_ms: MINUTE_MS,
      find: identityConflict,
    },
    {
      id: 'upstream_down',
      severity: 'warning',
      // The rule itself waits for as long as nothing is sent.
      raise_after_ms: 0,
      clear_after_ms: 0,
      find: makeNothingSent(),
    },
    {
      id: 'storage_fault',
      severity: 'critical',
      raise_after_ms: 10_000,
      clear_after_ms: MINUTE_MS,
      find: ({ parts: { store } }) =>
        store.fault === undefined ? undefined : { message: `Readings are not stored: ${store.fault}` },
    },
    {
      id: 'storage_unreadable',
      severity: 'critical',
      raise_after_ms: 10_000,
      clear_after_ms: MINUTE_MS,
      find: unreadable,
    },
    {
      id: 'readings_lost',
      severity: 'critical',
      // Long enough to know how many it is about.
      raise_after_ms: MINUTE_MS,
      clear_after_ms: 0,
      find: makeReadingsLost(),
    },
    {
      id: 'storage_nearly_full',
      severity: 'warning',
      raise_after_ms: MINUTE_MS,
      clear_after_ms: 10 * MINUTE_MS,
      find: nearlyFull,
    },
    {
      id: 'storage_wal_held',
      severity: 'warning',
      raise_after_ms: 10_000,
      clear_after_ms: MINUTE_MS,
      find: walHeld,
    },
    {
      id: 'time_uncertain',
      severity: 'warning',
      // A box that starts needs a while to learn the time.
      raise_after_ms: 2 * MINUTE_MS,
      clear_after_ms: MINUTE_MS,
      find: timeUncertain,
    },
    {
      id: 'certificate_expiring',
      severity: 'warning',
      raise_after_ms: MINUTE_MS,
      clear_after_ms: MINUTE_MS,
      find: certificateExpires,
    },
    {
      id: 'notify_failed',
      severity: 'warning',
      // A second attempt has failed as well.
      raise_after_ms: 10_000,
      clear_after_ms: 0,
      find: notifyFailed,
    },
  ];
}

const CONFLICT: ErrorCode = 'UPSTREAM_IDENTITY_CONFLICT';

/** Once found it stays until something is sent: a centre that cannot be reached for a while has not settled it. */
function identityConflict({ parts: { upstream }, active }: Check): Finding | undefined {
  if (upstream.state !== 'down') return undefined;
  if (upstream.code !== CONFLICT) return active && { message: active.message };
  return {
    message:
      'Nothing is sent: the centre knows another gateway by this gateway_id, or a copy of the storage of this one ' +
      'has sent there. The system status says which; docs/central-database.md, "Identity", what to do',
  };
}

/** A connection that comes and goes without a row on it counts as none. */
function makeNothingSent() {
  let batches: number | undefined;
  let sent_mono_ms = 0;
  let reason: string | undefined;
  let is_conflict = false;
  return ({ parts: { upstream }, t_ms, mono_ms, active }: Check): Finding | undefined => {
    const { state, counters, code } = upstream;
    // What was active before a restart goes on until something is sent.
    if (batches === undefined)
      sent_mono_ms = active ? mono_ms - NOTHING_SENT_MS - Math.max(0, t_ms - active.occurred_ms) : mono_ms;
    const hasSent = batches !== undefined && counters.batches !== batches;
    const isUpToDate = state !== 'down' && counters.lag_rows === 0;
    if (hasSent || isUpToDate || state === 'off') sent_mono_ms = mono_ms;
    batches = counters.batches;
    reason = upstream.reason ?? reason;
    is_conflict = code === CONFLICT || (is_conflict && state === 'down');
    const silent_ms = mono_ms - sent_mono_ms;
    if (is_conflict || silent_ms < NOTHING_SENT_MS) return undefined;
    const since = momentText(t_ms - silent_ms);
    return { message: `Nothing was sent to the centre since ${since}${reason ? `: ${reason}` : ''}` };
  };
}

function unreadable({ parts: { store } }: Check): Finding | undefined {
  const count = store.quarantined.length;
  const found: string[] = [];
  if (count > 0) {
    const what =
      count === 1
        ? 'A database that could not be read was'
        : `${count} databases that could not be read were`;
    found.push(`${what} quarantined: ${store.quarantined.join(', ')}`);
  }
  if (store.lost !== undefined) found.push(`Stored readings are gone: ${store.lost}`);
  const damaged = store.parts_damaged;
  if (damaged > 0)
    found.push(`${damaged === 1 ? 'A part' : `${damaged} parts`} of the database cannot be read`);
  if (found.length === 0) return undefined;
  // For damage it is updated when there is twice as much.
  const stage = 100 * count + (store.lost === undefined ? 0 : 50) + Math.ceil(Math.log2(damaged + 1));
  return { message: found.join('. '), stage };
}

/** Counts from the first loss to an hour after the last one. */
function makeReadingsLost() {
  let before: { readonly dropped: number; readonly removed: number } | undefined;
  let last_mono_ms: number | undefined;
  let since_ms = 0;
  let lost = 0;
  const causes = new Set<string>();
  return ({ parts: { store }, t_ms, mono_ms, active }: Check): Finding | undefined => {
    if (!before && active) {
      last_mono_ms = mono_ms;
      since_ms = active.occurred_ms;
      lost = active.value ?? 0;
    }
    const dropped = store.readings_dropped - (before?.dropped ?? 0);
    const removed = store.readings_removed_unsynced - (before?.removed ?? 0);
    before = { dropped: store.readings_dropped, removed: store.readings_removed_unsynced };
    if (dropped + removed > 0) {
      if (last_mono_ms === undefined) {
        since_ms = t_ms;
        lost = 0;
        causes.clear();
      }
      last_mono_ms = mono_ms;
      lost += dropped + removed;
      if (dropped > 0) causes.add('the disk did not take them');
      if (removed > 0) causes.add('there was no room to keep them until the centre has them');
    }
    if (last_mono_ms !== undefined && mono_ms - last_mono_ms >= LOSS_REMEMBERED_MS) last_mono_ms = undefined;
    if (last_mono_ms === undefined) return undefined;
    const why = [...causes].join(', and ');
    // Without a cause: all of it was before a restart.
    const message = why
      ? `${lost} readings lost since ${momentText(since_ms)}: ${why}`
      : (active?.message ?? '');
    return { message, value: lost, stage: Math.floor(Math.log2(Math.max(1, lost))) };
  };
}

function nearlyFull({ parts: { store, upstream }, active }: Check): Finding | undefined {
  const { first_seq, used_bytes, max_bytes, free_bytes, keep_free_bytes } = store;
  // Sizes are known from the first round of retention on.
  if (used_bytes === 0) return undefined;
  const isOldestUnsent = upstream.state !== 'off' && first_seq > upstream.counters.last_seq;
  const used = used_bytes / max_bytes;
  if (isOldestUnsent && used >= (active ? NO_LONGER_FULL : NEARLY_FULL))
    return {
      message:
        `The store uses ${Math.round(used * 100)} % of ${sizeText(max_bytes)}, and the centre does not have ` +
        'what is oldest in it: when it is full, readings are lost',
      value: Math.round(used * 100),
      threshold: NEARLY_FULL * 100,
      unit: '%',
    };
  if (free_bytes >= keep_free_bytes * (active ? ENOUGH_ROOM : SHORT_OF_ROOM)) return undefined;
  return {
    message:
      `The disk is short of room: ${sizeText(free_bytes)} are free; below ${sizeText(keep_free_bytes)} ` +
      'what is oldest in the store is removed',
    value: inMb(free_bytes),
    threshold: inMb(keep_free_bytes * SHORT_OF_ROOM),
    unit: 'MB',
  };
}

/** Updated when it has grown fourfold. */
function walHeld({ parts: { store } }: Check): Finding | undefined {
  if (store.wal_held === undefined) return undefined;
  return {
    message: `The write-ahead log of the database, ${sizeText(store.wal_bytes)}, grows: it ${store.wal_held}`,
    value: inMb(store.wal_bytes),
    unit: 'MB',
    stage: Math.floor(Math.log2(Math.max(1, inMb(store.wal_bytes))) / 2),
  };
}

function timeUncertain({ parts: { clock } }: Check): Finding | undefined {
  if (clock.state === 'ok') return undefined;
  const reason = clock.reason ?? 'times are uncertain';
  return { message: reason.slice(0, 1).toUpperCase() + reason.slice(1) };
}

function certificateExpires({ parts: { certificate }, t_ms }: Check): Finding | undefined {
  if (!certificate) return undefined;
  const left_ms = certificate.valid_until_ms - t_ms;
  if (left_ms >= EXPIRES_SOON_MS) return undefined;
  const end = momentText(certificate.valid_until_ms);
  if (left_ms <= 0)
    return { message: `The certificate expired at ${end}: browsers refuse the page`, stage: 1 };
  const days = Math.floor(left_ms / DAY_MS);
  const left = days === 0 ? 'within a day' : days === 1 ? 'in a day' : `in ${days} days`;
  return { message: `The certificate expires ${left}, at ${end}`, stage: 0 };
}

/** Updated when other receivers fail. */
function notifyFailed({ parts: { notify } }: Check): Finding | undefined {
  const { failing } = notify;
  if (failing.length === 0) return undefined;
  const list = failing.map(({ id, reason }) => `"${id}" (${reason})`).join(', ');
  let stage = failing.length;
  for (const { id } of failing)
    for (const char of id) stage = (stage * 31 + (char.codePointAt(0) ?? 0)) % 1e9;
  return { message: `Notifications do not go through to ${list}`, stage };
}

const inMb = (bytes: number) => Math.round(bytes / 1e6);

function sizeText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${inMb(bytes)} MB`;
}

/** Any number of ms; a clock may show what no calendar holds. */
function momentText(t_ms: number): string {
  const date = new Date(t_ms);
  return Number.isNaN(date.getTime())
    ? `${t_ms} ms`
    : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
