/** Open alerts in the order in which somebody should look at them. */
import type { AlertView } from '../../../core/contract/model.ts';

const SEVERITY_RANK = { critical: 0, warning: 1, info: 2 } as const;
const LIFECYCLE_RANK: Readonly<Record<AlertView['lifecycle'], number>> = {
  active_unacknowledged: 0,
  active_acknowledged: 1,
  returned_unacknowledged: 2,
  shelved: 3,
  suppressed: 4,
  out_of_service: 5,
  normal: 6,
};

/** What nobody has seen yet first, then by severity, then the newest. */
export function mostUrgentFirst(a: AlertView, b: AlertView): number {
  return (
    LIFECYCLE_RANK[a.lifecycle] - LIFECYCLE_RANK[b.lifecycle] ||
    SEVERITY_RANK[a.severity] - SEVERITY_RANK[b.severity] ||
    b.occurred_ms - a.occurred_ms
  );
}

/** What no list of open alerts holds: it calls nobody. */
export function isOutOfService({ lifecycle }: Pick<AlertView, 'lifecycle'>): boolean {
  return lifecycle === 'out_of_service';
}

/** Put away for a time, or explained by another alert. */
export function isPutAway({ lifecycle }: Pick<AlertView, 'lifecycle'>): boolean {
  return lifecycle === 'shelved' || lifecycle === 'suppressed';
}
