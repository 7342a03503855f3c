/** What alert rules would have raised had they been changed before: by stored readings, beside the rules as they hold. */
import { momentPath } from '../../core/alerts/moment-path.ts';
import type { ThresholdRule } from '../../core/alerts/rule.ts';
import { differingPacks, differingRules } from '../../core/alerts/rule-difference.ts';
import type { Replayed } from '../../core/alerts/rule-replay.ts';
import type { Settings } from '../../core/contract/http.ts';
import {
  MAX_PREVIEW_MS,
  type PreviewedAlert,
  type RulePreviewReply,
} from '../../core/contract/rule-preview.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { RulePreviews } from '../server/services.ts';
import type { Store, TimeSpan } from '../store/store.ts';

/** Sooner than a handler has to answer. */
const LIMIT_MS = 20_000;

export interface RulePreviewOptions {
  readonly topology: Topology;
  readonly silent_after_ms: number;
  readonly alerts: {
    rulesWith(settings: Settings): { before: readonly ThresholdRule[]; after: readonly ThresholdRule[] };
  };
  readonly store: Pick<Store, 'replayRules'>;
  readonly limit_ms?: number;
}

export class RulePreview implements RulePreviews {
  readonly #options: RulePreviewOptions;
  #is_running = false;

  constructor(options: RulePreviewOptions) {
    this.#options = options;
  }

  /** `signal`: nobody waits any more. RATE_LIMITED while another one runs. */
  async of(settings: Settings, { from_ms, to_ms }: TimeSpan, signal: AbortSignal): Promise<RulePreviewReply> {
    const { topology, silent_after_ms, store, alerts, limit_ms = LIMIT_MS } = this.#options;
    const { before, after } = alerts.rulesWith(settings);
    if (!(from_ms < to_ms && to_ms - from_ms <= MAX_PREVIEW_MS))
      throw new GatewayError(
        'BAD_REQUEST',
        `from_ms: found ${from_ms}, expected less than to_ms, ${to_ms}, and at most 31 days before it`,
      );
    if (this.#is_running)
      throw new GatewayError('RATE_LIMITED', 'Another preview is being made; try again when it is done');
    const packs = differingPacks(topology, before, after);
    this.#is_running = true;
    try {
      const request = { topology, before, after, packs, silent_after_ms, from_ms, to_ms, limit_ms };
      const found = await store.replayRules(request, signal);
      const { readings, undecodable, first_ms, last_ms, is_whole } = found;
      return {
        from_ms,
        to_ms,
        rules: differingRules(before, after),
        packs: packs.length,
        looked_at: { readings, undecodable, from_ms: first_ms, to_ms: last_ms, is_whole },
        would_raise: this.#viewOf(found.after),
        as_now: this.#viewOf(found.before),
      };
    } finally {
      this.#is_running = false;
    }
  }

  #viewOf({ count, alerts }: Replayed): { count: number; alerts: PreviewedAlert[] } {
    const { packs, batteries } = this.#options.topology;
    return {
      count,
      alerts: alerts.map(alert => {
        const node = packs.find(({ id }) => id === alert.pack_id);
        const battery = node && batteries[node.battery];
        return {
          ...alert,
          battery_id: battery?.id ?? '',
          battery_name: battery?.name ?? '',
          pack_name: node?.name ?? alert.pack_id,
          page_path: momentPath({ ...alert, occurred_ms: alert.raised_ms }),
        };
      }),
    };
  }
}
