/** A configuration that cannot be used: all its problems at once. */
import { GatewayError } from '../../core/errors.ts';
import { formatProblem, type Problem } from '../../core/schema/problem.ts';

export class ConfigError extends GatewayError {
  /** In file order, at least one. */
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super('CONFIG_INVALID', `${formatProblem(problems[0])}${more}`);
    this.problems = problems;
  }
}
