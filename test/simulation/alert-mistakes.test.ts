/** The simulation finds mistakes that are made on purpose, each within some seeds, and says what is wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeError } from '../../core/errors.ts';
import type { TestPostgres } from '../support/postgres.ts';
import { ALERT_MISTAKES, type AlertMistake } from './alert-mistakes.ts';
import { Simulation } from './simulation.ts';
import { hasCompiler } from './virtual-disk.ts';
import { type OpenWorld, openWorld, startCentre } from './world.ts';

const MAX_SEEDS = 150;

/** What the finding must say. */
const FOUND: Readonly<Record<AlertMistake, RegExp>> = {
  change_not_stored: /alert .*: it|alert .*: occurrence|open alerts|is not at the centre/,
  alert_lost_at_restart: /open alerts after the start/,
  alerts_begin_again: /open alerts after the start/,
  acknowledgement_lost: /open alerts after the start/,
  shelving_lost: /open alerts after the start/,
  notes_lost: /open alerts after the start/,
  delays_begin_again: /active|of the delays/,
  delay_skipped: /is (warning|critical), expected not active/,
  sending_not_stored: /may have arrived is no longer stored/,
  sent_not_stored: /was sent is no longer stored|goes to .* again/,
  notified_forgotten: /twice|although/,
  new_id_at_restart: /twice/,
  lost_answer_taken_for_yes: /called sent, and nobody took it|was not notified of/,
  lost_answer_taken_for_no:
    /may have arrived is no longer stored|made anew, and may have arrived|copy of .* is another one|twice|never got to know/,
  acknowledged_escalated: /is escalated, and was acknowledged/,
  shelved_notified: /which is not in force/,
  centre_lacks_event: /event of an alert .* is not at the centre/,
  centre_keeps_old_state: /alert .* is not at the centre/,
  centre_forgets_who: /event of an alert .* at the centre is/,
};

describe.skipIf(!hasCompiler() && !process.env.CI)('mistakes made on purpose (needs gcc)', () => {
  let centre: TestPostgres;
  let world: OpenWorld;
  beforeAll(async () => {
    centre = await startCentre();
    world = await openWorld(centre.url, () => {});
  });
  afterAll(async () => {
    await world?.close();
    await centre?.stop();
  });

  test.each(ALERT_MISTAKES)('%s is found', async mistake => {
    const first = 1_000_000 * (1 + ALERT_MISTAKES.indexOf(mistake));
    let found = '';
    let seed = first;
    for (; found === '' && seed < first + MAX_SEEDS; seed++)
      await new Simulation({ ...world, mistake }, seed).run().catch(error => {
        found = describeError(error);
      });
    expect(found).toMatch(FOUND[mistake]);
  });
});
