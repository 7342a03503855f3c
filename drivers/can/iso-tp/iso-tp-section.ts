/** What a profile says of a device that answers read requests over ISO-TP: its ids, and what is read from it. */
import Type, { type Static } from 'typebox';
import { OptionIs } from '../../profiles/option-is.ts';

const closed = { additionalProperties: false } as const;

const IsoTpRead = Type.Object(
  {
    reads: Type.String({ minLength: 1, description: 'What it asks for, and where that is documented' }),
    request: Type.String({
      pattern: '^([0-9A-Fa-f]{2}){2,4}$',
      description: 'The request as hex, without length: 220101; only services that read are ever sent',
    }),
    count: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: 512,
        description: 'So many requests, each with an identifier one higher; `message` then has a {n}',
      }),
    ),
    first: Type.Optional(Type.Integer({ minimum: 0, description: 'What {n} begins with (default 1)' })),
    message: Type.String({
      minLength: 1,
      description:
        'Message of the DBC that describes the reply, from its first byte (the service plus 40 hex)',
    }),
    interval_ms: Type.Integer({ minimum: 500, maximum: 3_600_000 }),
    use_when: Type.Optional(OptionIs),
  },
  closed,
);

const Byte = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 0xff, description }));
const Id = Type.Integer({ minimum: 0, maximum: 0x1fffffff });

const IsoTpLinkSection = Type.Object(
  {
    use_when: Type.Optional(OptionIs),
    request_id: Id,
    reply_id: Id,
    extended: Type.Optional(Type.Boolean({ description: 'Both ids have 29 bits (default false)' })),
    target: Byte(
      'Extended addressing: address of the device, the first byte of every request; the tester is F1 hex',
    ),
    padding: Byte('What requests are filled up with (default 0)'),
    pause_ms: Type.Optional(
      Type.Integer({
        minimum: 20,
        maximum: 10_000,
        description: 'Between the end of one transaction and the next request (default 100)',
      }),
    ),
    reads: Type.Array(IsoTpRead, { minItems: 1 }),
  },
  {
    ...closed,
    description:
      'A device that answers read requests over ISO-TP (ISO 15765-2). Messages of replies carry in the DBC, as ' +
      'their id, the identifier that is read; it is no id on the bus',
  },
);

/** One device, or several that answer for one pack. */
export const IsoTpSection = Type.Union([IsoTpLinkSection, Type.Array(IsoTpLinkSection, { minItems: 1 })]);

export type IsoTpLinkSection = Static<typeof IsoTpLinkSection>;
export type IsoTpSection = Static<typeof IsoTpSection>;
export type IsoTpRead = Static<typeof IsoTpRead>;
