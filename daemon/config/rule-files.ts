/** Alert rules as a file: written from those that hold, and read by the check of the configuration. */
import Type from 'typebox';
import type { Act } from '../../core/alerts/lifecycle.ts';
import type { ThresholdRule } from '../../core/alerts/rule.ts';
import { ruleDifferences } from '../../core/alerts/rule-difference.ts';
import type { SettingsReply } from '../../core/contract/http.ts';
import type { RuleImportBody, RuleImportReply } from '../../core/contract/rule-file.ts';
import { GatewayError } from '../../core/errors.ts';
import { type Finding, formatProblems, type Problem, sortProblems } from '../../core/schema/problem.ts';
import { checkYaml } from '../../core/schema/yaml-document.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { RuleFiles } from '../server/services.ts';
import { LimitsConfig, RuleConfig } from './rule-schema.ts';
import { ruleText } from './rule-text.ts';
import { knownScopes, resolveRules, scopeFindings } from './rules.ts';

const NAME = 'rules.yaml';
const MAX_LINES = 20;
const closed = { additionalProperties: false } as const;

/** Of `alerts` in the configuration what rules are; how long a pack may be silent is set there alone. */
const RuleFile = Type.Object(
  {
    alerts: Type.Object(
      {
        default_rules: Type.Optional(Type.Boolean()),
        rules: Type.Optional(Type.Array(RuleConfig)),
        limits: Type.Optional(Type.Array(LimitsConfig)),
      },
      closed,
    ),
  },
  closed,
);

interface RuleKeeper {
  rules(): readonly ThresholdRule[];
  settings(): SettingsReply;
  takeRules(rules: readonly ThresholdRule[], act: Act, note: string | null): Promise<SettingsReply>;
}

export class ConfigRuleFiles implements RuleFiles {
  readonly #topology: Topology;
  readonly #alerts: RuleKeeper;

  constructor(topology: Topology, alerts: RuleKeeper) {
    this.#topology = topology;
    this.#alerts = alerts;
  }

  text(): string {
    return ruleText(this.#alerts.rules());
  }

  async take({ yaml, is_trial, version, note }: RuleImportBody, act: Act): Promise<RuleImportReply> {
    const { rules, problems } = readRules(yaml, this.#topology);
    if (problems.length > 0)
      throw new GatewayError('BAD_REQUEST', formatProblems(problems, MAX_LINES).join('\n'));
    const settings = this.#alerts.settings();
    if (version !== undefined && version !== settings.version)
      throw new GatewayError(
        'CONFLICT',
        `The rules were changed meanwhile: version ${settings.version} holds, not ${version}. Look at the difference again`,
      );
    const differences = ruleDifferences(this.#alerts.rules(), rules).map(({ lines, ...of }) => ({
      ...of,
      lines: [...lines],
    }));
    if (is_trial || differences.length === 0) return { differences, settings };
    return { differences, settings: await this.#alerts.takeRules(rules, act, note ?? null) };
  }
}

/** Problems are those that the file would have: each with its line and path. */
export function readRules(
  yaml: string,
  topology: Topology,
): { rules: ThresholdRule[]; problems: readonly Problem[] } {
  const { value, problems, locate } = checkYaml(NAME, yaml, RuleFile);
  if (!value) return { rules: [], problems };
  const findings: Finding[] = [];
  const rules = resolveRules(value.alerts, findings);
  findings.push(...scopeFindings(value.alerts, knownScopes(topology)));
  return { rules, problems: sortProblems(findings.map(locate)) };
}
