/** One process of main.ts: runs every n-th seed, reports each that is done, and at the end what faults were hit. */
import { describeError } from '../../core/errors.ts';
import { Simulation } from './simulation.ts';
import { openWorld } from './world.ts';

const [from, to, every] = process.argv.slice(2, 5).map(Number);
const traces = process.argv[5] === 'trace';
const world = await openWorld(
  process.env.SIMULATION_CENTRE ?? '',
  traces ? line => console.log(line) : () => {},
);
// Ended by main.ts between two seeds, so that nothing stays behind.
let is_ended = false;
process.once('SIGTERM', () => {
  is_ended = true;
});
try {
  for (let seed = from; seed <= to && !is_ended; seed += every) {
    try {
      await new Simulation(world, seed).run();
      console.log('done');
    } catch (error) {
      console.error(`seed ${seed}: ${describeError(error)}`);
      console.error(`again: npm run simulate-faults -- --seeds 1 --from ${seed} --trace`);
      if (traces) console.error(error);
      process.exitCode = 1;
      break;
    }
  }
  const { faults_hit, changes_lost, power_cuts, deaths } = world.disk.status();
  console.log(
    JSON.stringify({
      faults_hit,
      changes_lost,
      power_cuts,
      deaths,
      ...world.wire.hits,
      receivers: world.receivers.hits,
    }),
  );
} finally {
  await world.close();
}
