/** English: names of quantities, as core/metrics.ts has them for the gateway too. */
import { PACK_METRICS, type PackMetricName } from '../../../../core/metrics.ts';

export const quantities = {
  pack: Object.fromEntries(PACK_METRICS.map(({ name, label }) => [name, label])) as Readonly<
    Record<PackMetricName, string>
  >,
};
