/**
 * A history in the bytes that leave the gateway: JSON as the contract's HistoryReply, or CSV (RFC 4180), a row per
 * moment. Made in the reader's thread, so that the thread that serves the live feed only hands them on.
 */

import { CELL_SERIES, PACK_SERIES } from '../../../core/reading/history-series.ts';
import type { HistoryFormat } from '../store.ts';
import type { History, HistoryColumn, HistoryColumns } from './history.ts';
import { NumberText } from './number-text.ts';

/** A number and its comma, on the whole. */
const BYTES_PER_NUMBER = 8;

export function historyText(history: History, format: HistoryFormat): Uint8Array<ArrayBuffer> {
  const columns = namedColumns(history);
  const text = new NumberText((2 * history.t_ms.length + 10) * BYTES_PER_NUMBER * (columns.length + 1));
  if (format === 'csv') writeTable(text, history, columns);
  else writeJson(text, history);
  return text.done();
}

function writeJson(text: NumberText, { head, t_ms, facts, series, lowest, highest }: History): void {
  text.text(`${JSON.stringify(head).slice(0, -1)},"t_ms":`);
  writeArray(text, { values: t_ms, decimals: 0 });
  text.text(',');
  if (facts) {
    for (const name of ['newest_age_ms', 'oldest_age_ms'] as const) {
      text.text(`"${name}":`);
      writeArray(text, { values: facts[name], decimals: 0 });
      text.text(',');
    }
    text.text('"is_repeated":[');
    text.booleans(facts.is_repeated);
    text.text('],');
  }
  writeSeries(text, series);
  for (const [name, edge] of Object.entries({ lowest, highest })) {
    if (!edge) continue;
    text.text(`,"${name}":{`);
    writeSeries(text, edge);
    text.text('}');
  }
  text.text('}');
}

function writeSeries(text: NumberText, { pack, cells }: HistoryColumns): void {
  let before = '"pack":{';
  for (const name of PACK_SERIES) {
    text.text(`${before}"${name}":`);
    writeArray(text, pack[name]);
    before = ',';
  }
  before = '},"cells":{';
  for (const name of CELL_SERIES) {
    text.text(`${before}"${name}":[`);
    for (const [i, cell] of cells[name].entries()) {
      if (i > 0) text.text(',');
      writeArray(text, cell);
    }
    text.text(']');
    before = ',';
  }
  text.text('}');
}

function writeArray(text: NumberText, { values, decimals }: HistoryColumn): void {
  text.text('[');
  text.list(values, decimals);
  text.text(']');
}

type NamedColumn = readonly [name: string, column: HistoryColumn];

/** Beside each mean its lowest and highest, where the history has steps. */
function namedColumns({ head, series, lowest, highest }: History): NamedColumn[] {
  const { cell_no = 1 } = head;
  const edges: [end: string, columns: HistoryColumns][] = [['', series]];
  if (lowest) edges.push(['_lowest', lowest]);
  if (highest) edges.push(['_highest', highest]);
  return [
    ...PACK_SERIES.flatMap(name =>
      edges.map(([end, { pack }]): NamedColumn => [`${name}${end}`, pack[name]]),
    ),
    ...CELL_SERIES.flatMap(name =>
      series.cells[name].flatMap((_, i) =>
        edges.map(([end, { cells }]): NamedColumn => [`cell_${cell_no + i}_${name}${end}`, cells[name][i]]),
      ),
    ),
  ];
}

function writeTable(text: NumberText, { head, t_ms, facts }: History, columns: readonly NamedColumn[]): void {
  const { resolution_ms, uncertain } = head;
  const fact_names = facts ? ',newest_age_ms,oldest_age_ms,is_repeated' : '';
  text.text(`time,t_ms,time_certain${fact_names}${columns.map(([name]) => `,${name}`).join('')}\r\n`);
  for (let row = 0; row < t_ms.length; row++) {
    text.text(new Date(t_ms[row]).toISOString());
    text.comma();
    text.number(t_ms[row], 0, '');
    // Of a step: all of it.
    const last_ms = t_ms[row] + Math.max(0, resolution_ms - 1);
    text.text(uncertain.some(([from, to]) => from <= last_ms && to >= t_ms[row]) ? ',false' : ',true');
    if (facts) {
      text.comma();
      text.number(facts.newest_age_ms[row], 0, '');
      text.comma();
      text.number(facts.oldest_age_ms[row], 0, '');
      text.text(facts.is_repeated[row] === 1 ? ',true' : ',false');
    }
    for (const [, { values, decimals }] of columns) {
      text.comma();
      text.number(values[row], decimals, '');
    }
    text.text('\r\n');
  }
}
