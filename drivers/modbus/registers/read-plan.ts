/**
 * Which reads fetch a set of registers: as few as the device allows. A span that belongs together (a 32-bit
 * number, a value and its scale factor) is never split between two reads.
 */

/** Elements (registers or coils) from the start of a block. */
export interface Span {
  readonly first: number;
  readonly count: number;
}

export interface PlannedRead extends Span {
  /** What is wanted of it, in ascending order; each span of the plan's input stands in exactly one read. */
  readonly wanted: readonly Span[];
}

export interface PlanLimits {
  /** Most elements per read. */
  readonly max_count: number;
  /** Most elements in a row that are read though nobody wants them. */
  readonly max_hole: number;
}

/** Every span must fit one read. Spans may overlap, as where two values share a scale factor. */
export function planReads(spans: readonly Span[], limits: PlanLimits): PlannedRead[] {
  const sorted = [...spans].sort((a, b) => a.first - b.first || a.count - b.count);
  const reads: PlannedRead[] = [];
  let wanted: Span[] = [];
  let first = 0;
  let end = 0;
  const close = () => {
    if (wanted.length > 0) reads.push({ first, count: end - first, wanted });
  };
  for (const span of sorted) {
    const span_end = Math.max(end, span.first + span.count);
    const joins =
      wanted.length > 0 && span.first - end <= limits.max_hole && span_end - first <= limits.max_count;
    if (!joins) {
      close();
      wanted = [];
      first = span.first;
      end = span.first + span.count;
    } else {
      end = span_end;
    }
    wanted.push(span);
  }
  close();
  return reads;
}

/** One read of `length` elements for whatever is wanted of them. */
export function planWhole(spans: readonly Span[], length: number): PlannedRead[] {
  if (spans.length === 0) return [];
  const wanted = [...spans].sort((a, b) => a.first - b.first || a.count - b.count);
  return [{ first: 0, count: length, wanted }];
}

/** Two reads in place of one that the device refused; undefined when nothing is left to split. */
export function splitRead(read: PlannedRead): readonly [PlannedRead, PlannedRead] | undefined {
  const { wanted } = read;
  if (wanted.length < 2) return undefined;
  const half = wanted.length >> 1;
  return [readOf(wanted.slice(0, half)), readOf(wanted.slice(half))];
}

function readOf(wanted: readonly Span[]): PlannedRead {
  const end = wanted.reduce((latest, span) => Math.max(latest, span.first + span.count), 0);
  return { first: wanted[0].first, count: end - wanted[0].first, wanted };
}
