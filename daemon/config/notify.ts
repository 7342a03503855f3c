/** From the notifications of the configuration to the policy by which the gateway notifies. */
import { didYouMean, type Finding, listOf, type Path } from '../../core/schema/problem.ts';
import type { NotifyPolicy, Route } from '../notify/policy.ts';
import { receiverKind } from '../notify/receivers.ts';
import { DEFAULT_TEMPLATES, TEMPLATE_FIELDS, unknownFields } from '../notify/template.ts';
import { minutesOf } from '../notify/time-of-day.ts';
import { DEFAULTS } from './defaults.ts';
import type { Findings } from './findings.ts';
import type { RouteConfig } from './notify-schema.ts';
import type { Config } from './schema.ts';

const AT = ['notify'];

/** `secret`: of a name; undefined where there is none. `directory`: relative files are meant from there. */
export function resolveNotify(
  { notify: config = {}, batteries }: Pick<Config, 'notify' | 'batteries'>,
  directory: string,
  secret: (name: string) => string | undefined,
  { problems, warnings }: Findings,
): NotifyPolicy {
  const receivers = (config.receivers ?? []).map(one => receiverKind(one).prepare?.(one, directory) ?? one);
  const ids = receivers.map(({ id }) => id);
  receivers.forEach((receiver, i) => {
    const path = [...AT, 'receivers', i];
    if (ids.indexOf(receiver.id) < i)
      problems.push({
        path: [...path, 'id'],
        found: `receiver "${receiver.id}" again`,
        expected: 'an id of its own',
      });
    const kind = receiverKind(receiver);
    for (const { key, found, expected } of kind.findings(receiver))
      problems.push({ path: [...path, key], found, expected });
    for (const { key, name } of kind.secrets(receiver))
      if (secret(name) === undefined)
        warnings.push({
          path: [...path, key],
          found: `"${name}", of which there is no secret here`,
          expected:
            'a file of this name in the credentials directory of the service, or an environment variable; nothing is sent without',
        });
  });
  const routes = config.routes ?? (ids.length > 0 ? [{ to: ids }] : []);
  const { quiet_hours: quiet, templates = {} } = config;
  if (quiet && quiet.from === quiet.to)
    problems.push({
      path: [...AT, 'quiet_hours', 'to'],
      found: `${quiet.to}, as \`from\``,
      expected: 'another time: these hours are empty',
    });
  if (config.time_zone !== undefined && !isTimeZone(config.time_zone))
    problems.push({
      path: [...AT, 'time_zone'],
      found: `"${config.time_zone}"`,
      expected: 'the name of a time zone such as Europe/Berlin',
    });
  for (const key of ['subject', 'text'] as const)
    for (const field of unknownFields(templates[key] ?? ''))
      problems.push(
        unknownName([...AT, 'templates', key], `{${field}}`, field, Object.keys(TEMPLATE_FIELDS)),
      );
  routes.forEach((route, i) => {
    const path = [...AT, 'routes', i];
    problems.push(...routeFindings(route, path, receivers));
    problems.push(...unknownIds(route.batteries, [...path, 'batteries'], batteries, 'the id of a battery'));
  });
  return {
    receivers,
    routes: routes.map(resolveRoute),
    group_ms: config.group_ms ?? DEFAULTS.notify.group_ms,
    max_per_hour: config.max_per_hour ?? DEFAULTS.notify.max_per_hour,
    digest_at_min: minutesOf(config.digest_at ?? DEFAULTS.notify.digest_at),
    quiet_hours: quiet && {
      from_min: minutesOf(quiet.from),
      to_min: minutesOf(quiet.to),
      except: quiet.except ?? ['critical'],
    },
    time_zone: config.time_zone,
    page_url: config.page_url?.replace(/\/+$/, ''),
    templates: { ...DEFAULT_TEMPLATES, ...templates },
  };
}

function routeFindings(route: RouteConfig, path: Path, receivers: NotifyPolicy['receivers']): Finding[] {
  const findings = (['to', 'escalate_to'] as const).flatMap(key =>
    unknownIds(route[key], [...path, key], receivers, 'the id of a receiver'),
  );
  const { escalate_after_ms, escalate_to, about, batteries } = route;
  if (escalate_after_ms !== undefined && escalate_to === undefined)
    findings.push({
      path: [...path, 'escalate_after_ms'],
      found: 'a time, and nobody to notify then',
      expected: '`escalate_to` beside it',
    });
  if (escalate_to !== undefined && escalate_after_ms === undefined)
    findings.push({
      path: [...path, 'escalate_to'],
      found: 'receivers without a time',
      expected: '`escalate_after_ms` beside them',
    });
  if (batteries && about && !about.includes('batteries'))
    findings.push({
      path: [...path, 'batteries'],
      found: 'batteries, of which `about` has none',
      expected: '`about` with batteries, or no batteries',
    });
  const users = route.to.filter(id => receivers.some(one => one.id === id && one.role === 'user'));
  if (about?.length === 1 && about[0] === 'gateway' && users.length > 0)
    findings.push({
      path: [...path, 'about'],
      found: `gateway, for "${users[0]}" with the role user`,
      expected: 'a receiver with the role moderator or admin: users do not see these alerts',
    });
  return findings;
}

function unknownIds(
  ids: readonly string[] = [],
  path: Path,
  among: readonly { readonly id: string }[],
  what: string,
): Finding[] {
  const known = among.map(({ id }) => id);
  return ids.flatMap((id, i) =>
    known.includes(id) ? [] : [unknownName([...path, i], `"${id}"`, id, known, what)],
  );
}

function resolveRoute(route: RouteConfig): Route {
  const { batteries, about } = route;
  return {
    to: route.to,
    severities: route.severity ?? ['critical', 'warning'],
    batteries,
    about: about ?? (batteries ? ['batteries'] : ['batteries', 'gateway']),
    rules: route.rules,
    when: route.when ?? 'at_once',
    escalate_after_ms: route.escalate_after_ms,
    escalate_to: route.escalate_to ?? [],
  };
}

function unknownName(path: Path, shown: string, name: string, known: readonly string[], what = ''): Finding {
  const expected = what || `one of the fields ${listOf(known)}`;
  const message = `found ${shown}, expected ${expected}${didYouMean(name, known)}`;
  return { path, found: shown, expected, message };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
