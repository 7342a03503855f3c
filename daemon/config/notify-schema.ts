/** Notifications in the configuration file. */
import Type, { type Static } from 'typebox';
import { ReceiverConfig } from '../notify/receivers.ts';
import { DEFAULT_TEMPLATES } from '../notify/template.ts';
import { DEFAULTS } from './defaults.ts';

const closed = { additionalProperties: false } as const;

const Time = (description: string) =>
  Type.String({
    pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
    title: 'a time of day such as 07:30',
    description,
  });
const Ids = (description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 1000, description });
const Severities = (description: string, minItems: number) =>
  Type.Array(Type.Enum(['critical', 'warning', 'info']), { minItems, maxItems: 3, description });

export const RouteConfig = Type.Object(
  {
    to: Ids('Ids of receivers'),
    severity: Type.Optional(Severities('Which alerts (default critical and warning)', 1)),
    batteries: Type.Optional(Ids('Ids of batteries (default: all)')),
    about: Type.Optional(
      Type.Array(Type.Enum(['batteries', 'gateway']), {
        minItems: 1,
        maxItems: 2,
        description:
          'Alerts of batteries and their packs, or of the gateway itself and of connections with several batteries (default: both; with `batteries` those alone)',
      }),
    ),
    rules: Type.Optional(Ids('Ids of rules, as docs/alerts.md names them (default: all)')),
    when: Type.Optional(
      Type.Enum(['at_once', 'digest'], {
        description: 'digest: gathered, and sent once a day at `digest_at` (default at_once)',
      }),
    ),
    escalate_after_ms: Type.Optional(
      Type.Integer({
        minimum: 1000,
        maximum: 604_800_000,
        description: 'An alert that nobody has acknowledged for so long also goes to `escalate_to`',
      }),
    ),
    escalate_to: Type.Optional(Ids('Ids of receivers; one of `to` is reminded')),
  },
  closed,
);

export const NotifyConfig = Type.Object(
  {
    receivers: Type.Optional(
      Type.Array(ReceiverConfig, { maxItems: 50, description: 'Who can be notified' }),
    ),
    routes: Type.Optional(
      Type.Array(RouteConfig, {
        maxItems: 200,
        description: 'Who is notified of what (default: every receiver of critical alerts and warnings)',
      }),
    ),
    group_ms: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        default: DEFAULTS.notify.group_ms,
        description: 'Alerts of one battery within this time go in one message',
      }),
    ),
    max_per_hour: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        default: DEFAULTS.notify.max_per_hour,
        description: 'Most messages to one receiver in an hour; what is more goes in one digest after it',
      }),
    ),
    digest_at: Type.Optional(
      Type.String({
        pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
        title: 'a time of day such as 07:30',
        default: DEFAULTS.notify.digest_at,
        description: 'When digests are sent',
      }),
    ),
    quiet_hours: Type.Optional(
      Type.Object(
        {
          from: Time('Begin'),
          to: Time('End; where it is before the begin, on the next day'),
          except: Type.Optional(
            Severities('Which alerts are notified all the same (default critical; `[]`: none)', 0),
          ),
        },
        { ...closed, description: 'Messages wait until these hours are over' },
      ),
    ),
    time_zone: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description:
          'Of the times above and in messages, such as Europe/Berlin (default: that of the machine)',
      }),
    ),
    page_url: Type.Optional(
      Type.String({
        pattern: '^https?://[^\\s]{1,300}$',
        title: 'a URL that begins with http:// or https://',
        description: 'Where the page is, for links in messages (default: no links)',
      }),
    ),
    templates: Type.Optional(
      Type.Object(
        {
          subject: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 200,
              default: DEFAULT_TEMPLATES.subject,
              description: 'Subject; its fields are in docs/notifications.md',
            }),
          ),
          text: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 4000,
              description: 'Text, with the same fields (default: as in docs/notifications.md)',
            }),
          ),
        },
        { ...closed, description: 'How messages are worded' },
      ),
    ),
  },
  { ...closed, description: 'Who is notified of alerts: docs/notifications.md' },
);
export type NotifyConfig = Static<typeof NotifyConfig>;
export type RouteConfig = Static<typeof RouteConfig>;
