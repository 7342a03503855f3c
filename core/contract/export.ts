/** Readings of a span taken away as a file: what can be asked for, and the columns. */
import Type, { type Static } from 'typebox';
import { FractionalMoment } from './moment.ts';

const closed = { additionalProperties: false } as const;

export const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export const EXPORT_ROWS = ['cell', 'pack'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
export type ExportRows = (typeof EXPORT_ROWS)[number];

// GET /api/export
export const ExportQuery = Type.Object(
  {
    from_ms: FractionalMoment('Begin of the span, ms since 1970 UTC'),
    to_ms: FractionalMoment('Its end, excluded'),
    battery_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Only its packs' })),
    pack_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Only this pack' })),
    rows: Type.Optional(
      Type.Enum([...EXPORT_ROWS], {
        description: 'A row per cell and moment (default), or per pack and moment',
      }),
    ),
    format: Type.Optional(
      Type.Enum([...EXPORT_FORMATS], {
        description: 'csv (RFC 4180, default) or ndjson: one JSON object per line',
      }),
    ),
    cursor: Type.Optional(
      Type.String({
        pattern: '^(0|[1-9][0-9]{0,14})$',
        description:
          'In pieces of about a megabyte: 0 for the first; the header Link of each names the next. Put one after ' +
          'the other they are the whole; one that was cut is asked for again',
      }),
    ),
  },
  closed,
);
export type ExportQuery = Static<typeof ExportQuery>;

// GET /api/export/alerts
export const AlertExportQuery = Type.Object(
  {
    from_ms: FractionalMoment('Begin of the span, ms since 1970 UTC'),
    to_ms: FractionalMoment('Its end, excluded; at most 62 days later'),
    battery_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Only of it' })),
    pack_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Only of this pack' })),
  },
  closed,
);
export type AlertExportQuery = Static<typeof AlertExportQuery>;
