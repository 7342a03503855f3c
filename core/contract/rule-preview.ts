/** What changed alert rules would have raised, by what is stored. */
import Type, { type Static } from 'typebox';
import { Settings } from './http.ts';
import { Nullable, Severity } from './model.ts';
import { Moment } from './moment.ts';

export const MAX_PREVIEW_MS = 31 * 86_400_000;

// POST /api/admin/settings/preview
export const RulePreviewBody = Type.Object(
  {
    rules: Settings.properties.rules,
    from_ms: Type.Optional(Moment('Default: seven days before to_ms; at most 31 days before it')),
    to_ms: Type.Optional(Moment('Default: now')),
  },
  { additionalProperties: false },
);

const PreviewedAlert = Type.Object({
  rule_id: Type.String(),
  battery_id: Type.String(),
  battery_name: Type.String(),
  pack_id: Type.String(),
  pack_name: Type.String(),
  cell_no: Nullable(Type.Integer()),
  severity: Severity,
  message: Type.String(),
  raised_ms: Type.Number(),
  cleared_ms: Nullable(Type.Number({ description: 'Null: it would hold at the end of what was looked at' })),
  page_path: Nullable(Type.String({ description: 'Where the page shows the history of that moment' })),
});
const Raised = Type.Object({
  count: Type.Integer({ description: 'Occurrences' }),
  alerts: Type.Array(PreviewedAlert, { description: 'The newest hundred of them, newest first' }),
});

export const RulePreviewReply = Type.Object({
  from_ms: Type.Number(),
  to_ms: Type.Number(),
  rules: Type.Array(Type.String(), { description: 'Ids of the rules that would judge otherwise' }),
  packs: Type.Integer({ description: 'For so many packs they would' }),
  looked_at: Type.Object({
    readings: Type.Integer({
      description:
        'Every reading that is stored of these packs; means of longer steps are not judged, as delays need each reading',
    }),
    undecodable: Type.Integer({
      description: 'Readings that could not be judged: damaged, or of another number of cells',
    }),
    from_ms: Nullable(Type.Number({ description: 'The first of them; null: there is none' })),
    to_ms: Nullable(Type.Number({ description: 'The last of them' })),
    is_whole: Type.Boolean({
      description: 'False: there was no time for all of the span; what comes after to_ms was not looked at',
    }),
  }),
  would_raise: Raised,
  as_now: Type.Object(Raised.properties, {
    description: 'By the rules as they hold, over the same readings',
  }),
});
export type RulePreviewBody = Static<typeof RulePreviewBody>;
export type RulePreviewReply = Static<typeof RulePreviewReply>;
export type PreviewedAlert = Static<typeof PreviewedAlert>;
