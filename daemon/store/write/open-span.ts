/** The span that rows are still added to. */
export interface OpenSpan {
  first_seq: number;
  /** Rows, topologies left out. */
  rows: number;
  min_t_ms: number;
  max_t_ms: number;
}

export const NO_SPAN: OpenSpan = { first_seq: 0, rows: 0, min_t_ms: Infinity, max_t_ms: -Infinity };

export function countIn(span: OpenSpan, seq: number, t_ms: number): void {
  if (span.rows++ === 0) span.first_seq = seq;
  if (t_ms < span.min_t_ms) span.min_t_ms = t_ms;
  if (t_ms > span.max_t_ms) span.max_t_ms = t_ms;
}
