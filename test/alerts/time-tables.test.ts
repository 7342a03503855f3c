/** What happens to a battery, and when its alerts and notifications must come: as a technician reads it. */
import { expect, test } from 'vitest';
import { playTable } from './time-table.ts';

const TABLES: Readonly<Record<string, string>> = {
  'pushed at 1 s with a delay of 1 s it comes between 2 and 2.5 s': `
    rule high: cell voltage above 3.65 V critical; hysteresis 0.05 V; raise after 1 s
    1 s        p1 cell 2 at 3.70 V
    2 - 2.5 s  => p1 raised critical`,

  'a push that is shorter than its delay raises nothing': `
    rule high: cell voltage above 3.65 V critical; raise after 5 s
    1 s   p1 cell 2 at 3.70 V
    5 s   p1 cell 2 at 3.30 V
    20 s  end`,

  'a dip back inside begins the delay again': `
    rule high: cell voltage above 3.65 V critical; raise after 5 s
    1 s          p1 cell 2 at 3.70 V
    4 s          p1 cell 2 at 3.60 V
    6 s          p1 cell 2 at 3.70 V
    11 - 11.5 s  => p1 raised critical`,

  'it is cleared once the value was back by more than the hysteresis for long enough': `
    rule high: cell voltage above 3.65 V critical; hysteresis 0.05 V; raise after 1 s; clear after 2 s
    1 s          p1 cell 2 at 3.70 V
    2 - 2.5 s    => p1 raised critical
    10 s         p1 cell 2 at 3.59 V
    12 - 12.5 s  => p1 cleared`,

  'within the hysteresis it is neither cleared nor raised again': `
    rule high: cell voltage above 3.65 V critical; hysteresis 0.05 V
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    3 s          p1 cell 2 at 3.61 V
    5 s          p1 cell 2 at 3.66 V
    7 s          p1 cell 2 at 3.62 V
    20 s         p1 cell 2 at 3.605 V
    30 s         p1 cell 2 at 3.59 V
    30 - 30.5 s  => p1 cleared`,

  'a value that swings back while it waits to be cleared begins that delay again': `
    rule high: cell voltage above 3.65 V critical; hysteresis 0.05 V; clear after 5 s
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    5 s          p1 cell 2 at 3.50 V
    8 s          p1 cell 2 at 3.62 V
    10 s         p1 cell 2 at 3.50 V
    15 - 15.5 s  => p1 cleared`,

  'two cells in turn are one alert, as long as one is beyond': `
    rule high: cell voltage above 3.65 V critical; hysteresis 0.05 V; clear after 2 s
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    3 s          p1 cell 4 at 3.75 V
    4 s          p1 cell 2 at 3.30 V
    10 s         p1 cell 4 at 3.30 V
    12 - 12.5 s  => p1 cleared`,

  'a charge that runs low is raised below its limit and cleared above it': `
    rule high: state of charge below 20 % warning; hysteresis 5 %; raise after 10 s; clear after 10 s
    5 s          p1 charge at 19 %
    15 - 15.5 s  => p1 raised warning
    20 s         p1 charge at 24 %
    60 s         p1 charge at 26 %
    70 - 70.5 s  => p1 cleared`,

  'from warning to critical it is one alert that gets worse, and better': `
    rule high: temperature above 60 °C critical, 50 °C warning; hysteresis 3 °C; raise after 4 s; critical after 2 s; clear after 3 s
    1 s          p1 temperature at 55 °C
    5 - 5.5 s    => p1 raised warning
    8 s          p1 temperature at 65 °C
    10 - 10.5 s  => p1 updated critical
    12 s         p1 temperature at 58 °C
    20 s         p1 temperature at 56 °C
    23 - 23.5 s  => p1 updated warning
    25 s         p1 temperature at 40 °C
    28 - 28.5 s  => p1 cleared`,

  'straight to critical: the shorter delay counts': `
    rule high: temperature above 60 °C critical, 50 °C warning; raise after 10 s; critical after 2 s
    1 s        p1 temperature at 65 °C
    3 - 3.5 s  => p1 raised critical`,

  'in its first ten seconds a pack raises nothing; what is still so then is raised': `
    rule high: cell voltage above 3.65 V critical; inhibit 10 s
    1 s          p1 cell 2 at 3.70 V
    10 - 11 s    => p1 raised critical`,

  'what ends within the first ten seconds is never raised': `
    rule high: cell voltage above 3.65 V critical; inhibit 10 s
    1 s   p1 cell 2 at 3.70 V
    9 s   p1 cell 2 at 3.30 V
    30 s  end`,

  'a pack that falls silent is unknown since its last value, and never cleared for want of data': `
    rule high: cell voltage above 3.65 V critical; hysteresis 0.05 V
    silent after 15 s
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    20 s         p1 falls silent
    35 - 38 s    => p1 unknown since 22.5 s
    35 - 38 s    => p1 pack_silent raised critical
    60 s         p1 speaks
    60 - 60.5 s  => p1 known
    60 - 60.5 s  => p1 pack_silent cleared`,

  'values that cannot be trusted neither raise nor clear': `
    rule high: cell voltage above 3.65 V critical; hysteresis 0.05 V; raise after 2 s
    1 s          p1 suspect
    2 s          p1 cell 2 at 3.70 V
    8 s          p1 trusted
    10 - 10.5 s  => p1 raised critical
    12 s         p1 suspect
    13 s         p1 cell 2 at 3.30 V
    27 - 28 s    => p1 unknown since 12 s
    40 s         p1 trusted
    40 - 40.5 s  => p1 known
    40 - 40.5 s  => p1 cleared`,

  'silence in between begins a delay again': `
    rule high: cell voltage above 3.65 V critical; raise after 20 s
    silent after 5 s
    1 s          p1 cell 2 at 3.70 V
    10 s         p1 falls silent
    15 - 18 s    => p1 pack_silent raised critical
    30 s         p1 speaks
    30 - 30.5 s  => p1 pack_silent cleared
    50 - 50.5 s  => p1 raised critical`,

  'silence in between begins the delay of clearing again': `
    rule high: cell voltage above 3.65 V critical; clear after 20 s
    silent after 5 s
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    5 s          p1 cell 2 at 3.30 V
    10 s         p1 falls silent
    15 - 18 s    => p1 unknown since 12.5 s
    15 - 18 s    => p1 pack_silent raised critical
    30 s         p1 speaks
    30 - 30.5 s  => p1 known
    30 - 30.5 s  => p1 pack_silent cleared
    50 - 50.5 s  => p1 cleared`,

  'a dead connection is one alert, and a pack that stays away then is its own': `
    rule high: cell voltage above 3.65 V critical
    packs 2
    silent after 15 s
    5 s          p1 falls silent
    8 s          p2 falls silent
    23 - 23.5 s  => connection_silent raised critical
    40 s         p1 speaks
    40 - 40.5 s  => connection_silent cleared
    40 - 40.5 s  => p2 pack_silent raised critical
    60 s         p2 speaks
    60 - 60.5 s  => p2 pack_silent cleared`,

  'a restart in between does not begin the delay again': `
    rule high: cell voltage above 3.65 V critical; raise after 20 s
    1 s          p1 cell 2 at 3.70 V
    12 s         restart
    21 - 21.5 s  => p1 raised critical`,

  'a restart in between does not begin the delay of clearing again': `
    rule high: cell voltage above 3.65 V critical; clear after 20 s
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    5 s          p1 cell 2 at 3.30 V
    15 s         restart
    25 - 25.5 s  => p1 cleared`,

  'the time that the gateway is off counts for a delay, up to a minute': `
    rule high: cell voltage above 3.65 V critical; raise after 5 min
    1 s            p1 cell 2 at 3.70 V
    30 s           off for 40 s
    120 s          off for 10 min
    840 - 842 s    => p1 raised critical`,

  'a restart while a pack is silent neither clears its alert nor raises it again': `
    rule high: cell voltage above 3.65 V critical
    silent after 15 s
    5 s          p1 falls silent
    20 - 20.5 s  => p1 pack_silent raised critical
    30 s         ada acknowledges
    30 s         => p1 pack_silent acknowledged
    40 s         restart
    90 s         p1 speaks
    90 - 90.5 s  => p1 pack_silent cleared`,

  'an acknowledged alert that comes back is to be acknowledged again, as a new one': `
    rule high: cell voltage above 3.65 V critical
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    3 s          ada acknowledges
    3 s          => p1 acknowledged
    5 s          p1 cell 2 at 3.30 V
    5 - 5.5 s    => p1 cleared
    8 s          p1 cell 2 at 3.70 V
    8 - 8.5 s    => p1 raised critical`,

  'one that nobody acknowledged comes back as another occurrence': `
    rule high: cell voltage above 3.65 V critical
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    5 s          p1 cell 2 at 3.30 V
    5 - 5.5 s    => p1 cleared
    8 s          p1 cell 2 at 3.70 V
    8 - 8.5 s    => p1 recurred critical`,

  'a latched alert is cleared by its acknowledgement': `
    rule high: cell voltage above 3.65 V critical; latch
    1 s        p1 cell 2 at 3.70 V
    1 - 1.5 s  => p1 raised critical
    5 s        p1 cell 2 at 3.30 V
    5 - 5.5 s  => p1 updated critical
    20 s       ada acknowledges
    20 s       => p1 acknowledged`,

  'the shelf ends by itself, also after a restart': `
    rule high: cell voltage above 3.65 V critical
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    5 s          ada shelves for 30 s
    5 s          => p1 shelved
    20 s         restart
    35 - 35.5 s  => p1 unshelved`,

  'a limit that is changed while an alert is active decides with the next reading': `
    rule high: cell voltage above 3.65 V critical; clear after 2 s
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    10 s         limit 3.80
    12 - 12.5 s  => p1 cleared
    20 s         limit 3.60
    20 - 20.5 s  => p1 recurred critical`,

  'a changed limit holds after a restart, and a delay that runs goes on under it': `
    rule high: cell voltage above 3.65 V critical; raise after 20 s
    1 s          p1 cell 2 at 3.70 V
    10 s         limit 3.68
    15 s         restart
    21 - 21.5 s  => p1 raised critical`,

  'a clock that is set back or forward moves no delay': `
    rule high: cell voltage above 3.65 V critical; raise after 10 s; clear after 10 s
    1 s          p1 cell 2 at 3.70 V
    5 s          clock +3 h
    11 - 11.5 s  => p1 raised critical
    15 s         p1 cell 2 at 3.30 V
    20 s         clock -30 h
    25 - 25.5 s  => p1 cleared`,

  'who is to be notified is, once the group is together; recovered goes to the same': `
    rule high: cell voltage above 3.65 V critical
    packs 2
    notify after 5 s
    1 s          p1 cell 2 at 3.70 V
    1 - 1.5 s    => p1 raised critical
    3 s          p2 cell 1 at 3.70 V
    3 - 3.5 s    => p2 raised critical
    6 - 9 s      => office: raised p1, raised p2
    20 s         p1 cell 2 at 3.30 V
    20 - 20.5 s  => p1 cleared
    25 - 28 s    => office: recovered p1
    40 s         end`,

  'what is over before the group is together is not notified': `
    rule high: cell voltage above 3.65 V critical
    notify after 10 s
    1 s        p1 cell 2 at 3.70 V
    1 - 1.5 s  => p1 raised critical
    5 s        p1 cell 2 at 3.30 V
    5 - 5.5 s  => p1 cleared
    60 s       end`,

  'what nobody acknowledges goes to the manager after ten minutes, once, also over a restart': `
    rule high: cell voltage above 3.65 V critical
    interval 1 s
    notify after 5 s
    escalate after 10 min
    1 s            p1 cell 2 at 3.70 V
    1 - 2 s        => p1 raised critical
    6 - 9 s        => office: raised p1
    300 s          restart
    600 - 620 s    => manager: escalated p1
    900 s          restart
    1300 s         end`,

  'what was acknowledged in time is not escalated': `
    rule high: cell voltage above 3.65 V critical
    interval 1 s
    notify after 5 s
    escalate after 10 min
    1 s        p1 cell 2 at 3.70 V
    1 - 2 s    => p1 raised critical
    6 - 9 s    => office: raised p1
    500 s      ada acknowledges
    500 s      => p1 acknowledged
    900 s      end`,

  'in quiet hours a warning waits until they are over, also over a restart': `
    rule high: cell voltage above 3.65 V warning
    interval 1 min
    silent after 3 min
    clock 21:50
    notify after 5 s
    quiet 22:00 - 06:00
    60 min         p1 cell 2 at 3.70 V
    60 - 61 min    => p1 raised warning
    300 min        restart
    490 - 491 min  => office digest: raised p1`,

  'in quiet hours what is critical goes at once': `
    rule high: cell voltage above 3.65 V critical
    interval 10 s
    clock 23:00
    notify after 5 s
    quiet 22:00 - 06:00
    60 s         p1 cell 2 at 3.70 V
    60 - 70 s    => p1 raised critical
    65 - 85 s    => office: raised p1
    10 min       end`,

  'a digest gathers until its time; what is over by then is not in it': `
    rule high: cell voltage above 3.65 V warning
    packs 2
    interval 1 min
    silent after 3 min
    clock 04:00
    notify after 5 s
    digest at 07:00
    60 min         p1 cell 2 at 3.70 V
    60 - 61 min    => p1 raised warning
    90 min         p2 cell 2 at 3.70 V
    90 - 91 min    => p2 raised warning
    120 min        p1 cell 2 at 3.30 V
    120 - 121 min  => p1 cleared
    180 - 181 min  => office digest: raised p2
    240 min        end`,

  'a receiver that fails for ten minutes gets one message with what is still true, within the next quarter of an hour': `
    rule high: cell voltage above 3.65 V critical
    packs 2
    interval 1 s
    notify after 5 s
    0 s            receivers fail
    1 s            p1 cell 2 at 3.70 V
    1 - 2 s        => p1 raised critical
    60 s           p2 cell 2 at 3.70 V
    60 - 61 s      => p2 raised critical
    300 s          p1 cell 2 at 3.30 V
    300 - 301 s    => p1 cleared
    600 s          receivers work
    600 - 1320 s   => office digest: raised p2
    1400 s         end`,

  'what is shelved is not notified, and is once the shelf ends': `
    rule high: cell voltage above 3.65 V critical
    notify after 10 s
    1 s        p1 cell 2 at 3.70 V
    1 - 1.5 s  => p1 raised critical
    3 s        ada shelves for 60 s
    3 s        => p1 shelved
    63 - 63.5 s  => p1 unshelved
    73 - 85 s  => office: raised p1
    120 s      end`,
};

test.each(Object.entries(TABLES))('%s', (_, table) => playTable(table));

test('a table that says otherwise fails, and says where and what was seen', async () => {
  const push = `
    rule high: cell voltage above 3.65 V critical; raise after 1 s
    1 s        p1 cell 2 at 3.70 V
    `;
  await expect(playTable(`${push}3 - 4 s  => p1 raised critical`)).rejects.toThrow(
    'line 4: "p1 raised critical" at 2.5 s, expected between 3 and 4 s; seen:\n  2.5 s  p1 raised critical',
  );
  await expect(playTable(`${push}2 - 3 s  => p1 raised warning`)).rejects.toThrow(
    'line 4: expected "p1 raised warning", seen "p1 raised critical"',
  );
  await expect(playTable(`${push}9 s end`)).rejects.toThrow('"p1 raised critical" is not in the table');
  await expect(playTable(`${push}5 s p1 cell 2 at 3 A`)).rejects.toThrow(
    'line 4, "p1 cell 2 at 3 A": is not understood',
  );
  await expect(playTable('rule high: cell colour above 3 V critical')).rejects.toThrow('is not understood');
});
