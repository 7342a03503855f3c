/** The records of alerts in a log, read once each. */
import type { Alert } from '../../core/alerts/alert.ts';
import { LogKind } from '../../daemon/store/store.ts';
import type { LogModel, Row } from './log-model.ts';

const read = new WeakMap<Row, Alert>();

/** Asked for again and again. */
export function alertOf(row: Row): Alert {
  const known = read.get(row) ?? (JSON.parse(Buffer.from(row.body, 'latin1').toString()) as Alert);
  read.set(row, known);
  return known;
}

export function alertsOf({ rows }: LogModel): Alert[] {
  return rows.filter(({ kind }) => kind === LogKind.alert).map(alertOf);
}
