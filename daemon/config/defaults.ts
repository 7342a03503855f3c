/** What holds where the configuration says nothing. The schema, the loader and the docs read it here. */
export const DEFAULTS = {
  interval_ms: 2000,
  chemistry: 'lfp',
  silent_after_ms: 15_000,
  raise_after_ms: 10_000,
  clear_after_ms: 10_000,
  inhibit_ms: 10_000,
  commit_interval_ms: 1000,
  retention_days: 30,
  max_size_gb: 4,
  scrub_days: 7,
  batch_rows: 20_000,
  host: '127.0.0.1',
  port: 8080,
  insecure_http: false,
  session_hours: 12,
  notify: { group_ms: 30_000, max_per_hour: 20, digest_at: '07:00' },
} as const;
