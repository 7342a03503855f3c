/** What both kinds of draft have in common: the head of a profile, and the list of what was not guessed. */
import { basename, extname } from 'node:path';
import { stringify } from 'yaml';

export interface Draft {
  /** The profile, YAML; empty where nothing could be made. */
  readonly text: string;
  /** What a person must look at, a line each. */
  readonly open: readonly string[];
}

/** `EG4 map (v2).csv` becomes `eg4-map-v2`: an id as profiles have it. */
export function idFrom(file: string): string {
  const plain = basename(file, extname(file))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return plain || 'my-device';
}

export const ID = /^[a-z0-9][a-z0-9-]*$/;

export interface Head {
  readonly id: string;
  readonly source: string;
  readonly transport: 'can' | 'modbus';
  readonly cells: number;
  readonly sensors: number;
  readonly has_current: boolean;
}

/** In the order in which profiles are read. */
export function headOf({
  id,
  source,
  transport,
  cells,
  sensors,
  has_current,
}: Head): Record<string, unknown> {
  return {
    id,
    title: id,
    vendor: 'not said',
    models: [],
    source,
    transport,
    ...(transport === 'modbus' && { address: { min: 1, max: 247, default: 1 } }),
    cells: { max: cells },
    ...(sensors > 0 && { sensors: { max: sensors } }),
    ...(has_current && {
      options: {
        positive_current_is: {
          values: ['charge', 'discharge'],
          default: 'charge',
          doc: 'Direction of a positive current. Nobody has said it yet: compare once with the charger running.',
        },
      },
    }),
  };
}

export const CURRENT_SIGN = { option: 'positive_current_is', is: 'discharge' } as const;

export function draftText(
  profile: Record<string, unknown>,
  about: readonly string[],
  open: readonly string[],
): string {
  const lines = [
    ...about,
    ...(open.length > 0 ? ['', 'Not guessed, or in doubt:', ...open.map(line => `  ${line}`)] : []),
  ];
  const comment = lines.map(line => `# ${line}`.trimEnd()).join('\n');
  return `${comment}\n${stringify(profile, { lineWidth: 110, flowCollectionPadding: true })}`;
}

export const ABOUT = [
  'A draft: names, types, scales and units were guessed from the table. Check every line with the paper in hand',
  '(docs/new-device.md lists the traps), add golden frames, then delete this comment.',
];
