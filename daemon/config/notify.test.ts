/** Notifications in the configuration: every finding with its place, what was found and what is expected; secrets. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { formatProblem } from '../../core/schema/problem.ts';
import { ConfigError } from './config-error.ts';
import { readEnvironment } from './environment.ts';
import { type GatewayConfig, loadConfig } from './load.ts';
import { testProfiles } from './testing/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'notify-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'config.yaml');

function load(notify: string, env: Record<string, string> = { HOOK: 'x', SMTP: 'y' }): GatewayConfig {
  writeFileSync(
    file,
    `site: { id: home }
connections: [{ id: bus, type: socketcan, interface: can0 }]
batteries: [{ id: north, packs: [{ id: p1, connection: bus, profile: acme-can, cells: 16 }] }]
notify:
${notify}`,
  );
  return loadConfig(file, readEnvironment({ BMS_STATE_DIR: '/state', ...env }), testProfiles);
}

function problemsOf(notify: string): string[] {
  try {
    load(notify);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(problem => formatProblem(problem).replace(`${file}:`, ''));
  }
}

const RECEIVERS = `  receivers:
    - { id: hook, type: webhook, url: 'https://hook.example/x', secret_from: HOOK }
    - { id: ops, type: email, host: mail, user: gw, password_from: SMTP, from: a@b.example, to: [c@d.example] }
`;

test('two receivers and nothing else: both are notified of critical alerts and warnings', () => {
  const { notify } = load(RECEIVERS).config;
  expect(notify).toMatchObject({
    routes: [
      {
        to: ['hook', 'ops'],
        severities: ['critical', 'warning'],
        batteries: undefined,
        about: ['batteries', 'gateway'],
        when: 'at_once',
      },
    ],
    group_ms: 30_000,
    max_per_hour: 20,
    digest_at_min: 420,
    quiet_hours: undefined,
  });
  expect(load('  {}\n').config.notify).toMatchObject({ receivers: [], routes: [] });
});

test('names that there are not, hours that are empty, fields that are unknown', () => {
  const found = problemsOf(`${RECEIVERS}  routes:
    - { to: [opps], batteries: [nort] }
    - { to: [hook], escalate_after_ms: 60000 }
    - { to: [hook], escalate_to: [boss] }
    - { to: [hook], about: [gateway], batteries: [north] }
  quiet_hours: { from: '22:00', to: '22:00' }
  time_zone: Europe/Berln
  templates: { subject: '{severty} {battery}', text: '{alerts} {constructor}' }
`);
  expect(found).toEqual([
    '9:14 notify.routes[0].to[0]: found "opps", expected the id of a receiver; did you mean "ops"?',
    '9:33 notify.routes[0].batteries[0]: found "nort", expected the id of a battery; did you mean "north"?',
    '10:40 notify.routes[1].escalate_after_ms: found a time, and nobody to notify then, expected `escalate_to` beside it',
    '11:34 notify.routes[2].escalate_to: found receivers without a time, expected `escalate_after_ms` beside them',
    '11:35 notify.routes[2].escalate_to[0]: found "boss", expected the id of a receiver',
    '12:50 notify.routes[3].batteries: found batteries, of which `about` has none, expected `about` with batteries, or no batteries',
    '13:37 notify.quiet_hours.to: found 22:00, as `from`, expected another time: these hours are empty',
    '14:14 notify.time_zone: found "Europe/Berln", expected the name of a time zone such as Europe/Berlin',
    expect.stringMatching(
      /^15:25 notify.templates.subject: found \{severty\}, expected one of the fields .*; did you mean "severity"\?$/,
    ),
    expect.stringMatching(/^15:54 notify.templates.text: found \{constructor\}, expected one of the fields/),
  ]);
});

test('what the schema refuses: a password in the file, times that are none, a URL with a user', () => {
  const found = problemsOf(`  receivers:
    - { id: ops, type: email, host: mail, user: gw, password: geheim, from: a@b.example, to: [c@d.example] }
    - { id: hook, type: webhook, url: 'https://me:geheim@hook.example/x', secret_from: HOOK }
  digest_at: '7:00'
`);
  expect(found).toHaveLength(3);
  expect(found[0]).toContain('notify.receivers[0].password: ');
  expect(found[1]).toContain('notify.receivers[1].url: ');
  expect(found[2]).toBe('8:14 notify.digest_at: found "7:00", expected a time of day such as 07:30');
  expect(found.join()).not.toContain('geheim');
});

test('of a receiver: an id of its own, a login that is whole and not readable', () => {
  const email = 'type: email, host: mail, from: a@b.example, to: [c@d.example]';
  expect(
    problemsOf(`  receivers:
    - { id: a, ${email}, user: gw }
    - { id: a, ${email}, password_from: SMTP }
    - { id: c, ${email}, user: gw, password_from: SMTP, security: none }
`).map(line => line.replace(/^\S+ /, '')),
  ).toEqual([
    'notify.receivers[0].user: found a user without a password, expected `password_from` beside it',
    'notify.receivers[1].id: found receiver "a" again, expected an id of its own',
    'notify.receivers[1].password_from: found a password without a user, expected `user` beside it',
    'notify.receivers[2].security: found none, expected starttls or tls, where there is a password',
  ]);
});

test('secrets: a file in the credentials directory, else a variable; a missing one is a warning that names it', () => {
  const credentials = join(folder, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'HOOK'), 'of the file\n');
  const env = readEnvironment({ CREDENTIALS_DIRECTORY: credentials, HOOK: 'of the variable', SMTP: 'pw' });
  expect([env.secret('HOOK'), env.secret('SMTP'), env.secret('NONE')]).toEqual([
    'of the file',
    'pw',
    undefined,
  ]);
  const { warnings, config } = load(RECEIVERS, { SMTP: 'pw-of-smtp' });
  expect(warnings.map(formatProblem).join()).toMatch(
    /notify\.receivers\[0\]\.secret_from: found "HOOK", of which there is no secret here, expected a file of this name/,
  );
  expect(JSON.stringify(config)).not.toContain('pw-of-smtp');
});
