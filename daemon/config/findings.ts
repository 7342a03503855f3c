/** What the checks of a configuration find. */
import type { Finding } from '../../core/schema/problem.ts';

/** What the checks find; `problems` forbid the configuration, `warnings` do not. */
export interface Findings {
  readonly problems: Finding[];
  readonly warnings: Finding[];
}
