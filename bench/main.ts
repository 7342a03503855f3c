/** `npm run bench`: every benchmark in turn. Rates are printed as ratios to the raw limit of the same run. */
import { benchAlerts } from './alerts.bench.ts';
import { benchDbc } from './dbc.bench.ts';
import { benchEstimate } from './estimate.bench.ts';
import { benchFanOut } from './fan-out.bench.ts';
import { benchFootprint } from './footprint.bench.ts';
import { benchIsoTp } from './iso-tp.bench.ts';
import { benchLatency } from './latency.bench.ts';
import { benchManyPacks } from './many-packs.bench.ts';
import { benchModbus } from './modbus.bench.ts';
import { benchPipeline } from './pipeline.bench.ts';
import { benchStore } from './store.bench.ts';
import { benchSync } from './sync.bench.ts';

const only = process.argv[2];
for (const [name, bench] of [
  ['dbc', benchDbc],
  ['iso-tp', benchIsoTp],
  ['modbus', benchModbus],
  ['pipeline', benchPipeline],
  ['store', benchStore],
  ['sync', benchSync],
  ['latency', benchLatency],
  ['footprint', benchFootprint],
  ['many-packs', benchManyPacks],
  ['fan-out', benchFanOut],
  ['estimate', benchEstimate],
  ['alerts', benchAlerts],
] as const) {
  if (only && only !== name) continue;
  console.log(`\n${name}`);
  for (const line of await bench()) console.log(`  ${line}`);
}
