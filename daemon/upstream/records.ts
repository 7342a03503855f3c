/** How records of the log (see LogKind) become rows at the centre; each kind has its table and its sink here. */
import { LogKind, type RecordKind } from '../store/store.ts';
import { storeAudit } from './audit.ts';
import { storeClock } from './clock.ts';
import { storeCompleteness } from './completeness.ts';
import { storeGaps } from './gaps.ts';
import type { RecordSink } from './record-sink.ts';

export const RECORD_SINKS: ReadonlyMap<RecordKind, RecordSink> = new Map([
  [LogKind.gap, storeGaps],
  [LogKind.completeness, storeCompleteness],
  [LogKind.audit, storeAudit],
  [LogKind.clock, storeClock],
]);
