/** `bms-gateway profiles draft`: its options, and which kind of draft they want. */
import { readNamedFile } from '../named-files.ts';
import { UsageError } from '../usage.ts';
import { type Draft, ID, idFrom } from './draft.ts';
import { draftDbc } from './draft-dbc.ts';
import { draftRegisters } from './draft-registers.ts';

export interface DraftOptions {
  readonly csv: string | undefined;
  readonly dbc: string | undefined;
  readonly id: string | undefined;
  readonly code: string | undefined;
}

/** @throws UsageError, GatewayError */
export function draftProfile({ csv, dbc, id, code = '3' }: DraftOptions): Draft {
  const file = csv ?? dbc;
  if (file === undefined || (csv !== undefined && dbc !== undefined))
    throw new UsageError('profiles draft needs either --csv FILE or --dbc FILE');
  if (id !== undefined && !ID.test(id))
    throw new UsageError(`--id: found "${id}", expected small letters, digits and hyphens`);
  if (code !== '3' && code !== '4')
    throw new UsageError(`--code: found "${code}", expected 3 (holding registers) or 4 (input registers)`);
  const bytes = readNamedFile(file);
  const name = id ?? idFrom(file);
  if (dbc !== undefined) return draftDbc(file, bytes, name);
  return draftRegisters(file, new TextDecoder().decode(bytes), name, code === '3' ? 3 : 4);
}
