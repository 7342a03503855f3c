/** How `bms-gateway export` is called. */

export const EXPORT_HELP = `Usage: bms-gateway export --from TIME [--to TIME] [options]

Readings out of the gateway's storage, oldest first, also while it runs. TIME is 2026-01-31, 2026-01-31T08:00Z, or so
long ago: 90m, 24h, 7d.

  --to TIME           end of the span, excluded (default: now)
  --pack ID           only this pack, repeatable (default: all)
  --rows cell|pack    a row per cell and moment, or per pack and moment (default cell)
  --format csv|ndjson (default csv)
  --output FILE       (default: standard output); a file that is there is not written over
  --state-dir DIR     where the storage lies (default: BMS_STATE_DIR, or that of the installed service)
`;

export const EXPORT_OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  pack: { type: 'string', multiple: true },
  rows: { type: 'string' },
  format: { type: 'string' },
  output: { type: 'string' },
} as const;
