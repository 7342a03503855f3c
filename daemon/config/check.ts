/** Says of a configuration file whether it can be used: every problem with its line, or what it describes. */
import { describeError } from '../../core/errors.ts';
import { formatProblems } from '../../core/schema/problem.ts';
import { allTransports, transportNameOf } from '../../drivers/transports.ts';
import { isLoopback } from '../server/addresses.ts';
import { readCertificate } from '../server/tls/certificate.ts';
import { inUrl } from '../server/tls/own-names.ts';
import { ConfigError } from './config-error.ts';
import { readEnvironment } from './environment.ts';
import type { GatewayConfig } from './load.ts';
import { loadNamedConfig, namedProfiles } from './named-profiles.ts';

export interface ConfigCheck {
  readonly ok: boolean;
  /** For a person to read: problems, or a summary and warnings. */
  readonly lines: readonly string[];
}

/** `env`: the process environment. Never throws for what stands in the file or in the environment. */
export function checkConfig(file: string, env: Readonly<Record<string, string | undefined>>): ConfigCheck {
  const profiles = namedProfiles(file);
  const broken = formatProblems(profiles.problems).map(line => `profile left out: ${line}`);
  try {
    const config = loadNamedConfig(file, readEnvironment(env), profiles);
    const { tls } = config.config.server;
    if (tls) readCertificate(tls);
    return { ok: true, lines: [...broken, ...summary(config)] };
  } catch (error) {
    const lines = error instanceof ConfigError ? formatProblems(error.problems) : [describeError(error)];
    return { ok: false, lines: [...broken, ...lines] };
  }
}

function summary({ file, config, topology, connections, warnings }: GatewayConfig): string[] {
  const { site, gateway_id, batteries, packs } = topology;
  const cells = packs.reduce((sum, pack) => sum + pack.shape.cell_count, 0);
  const by_transport = allTransports().map(
    ([name, { title }]) =>
      `${connections.filter(({ connection }) => transportNameOf(connection) === name).length} ${title}`,
  );
  const { server, upstream, storage } = config;
  return [
    `${file} is fine`,
    `site         ${site.name} (${site.id}), gateway ${gateway_id}`,
    `fleet        ${count(batteries.length, 'battery', 'batteries')}, ${count(packs.length, 'pack')}, ${count(cells, 'cell')}, read every ${config.interval_ms} ms`,
    `connections  ${by_transport.join(', ')}${config.simulation ? ', with a simulation' : ''}`,
    `alerts       ${config.alerts.rules.length} rules; a pack is silent after ${config.alerts.silent_after_ms} ms`,
    `notify       ${notifyLine(config.notify)}`,
    `storage      ${storage.directory}, ${storage.retention_days} days, ${storage.max_bytes / 1e9} GB`,
    `upstream     ${upstream.database_url ? describeDatabase(upstream.database_url) : 'none'}`,
    `dashboard    ${dashboardLine(server)}`,
    ...formatProblems(warnings).map(line => `warning: ${line}`),
  ];
}

function notifyLine({ receivers, routes }: GatewayConfig['config']['notify']): string {
  if (receivers.length === 0) return 'nobody';
  return `${receivers.map(({ id, type }) => `${id} (${type})`).join(', ')}, by ${count(routes.length, 'route')}`;
}

function dashboardLine({ host, port, tls, insecure_http }: GatewayConfig['config']['server']): string {
  const isTls = tls !== undefined || !(insecure_http || isLoopback(host));
  const url = `${isTls ? 'https' : 'http'}://${inUrl(host)}:${port}`;
  return isTls && !tls ? `${url}, with a self-signed certificate` : url;
}

const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** Where the data goes, without user and password. */
function describeDatabase(url: string): string {
  const { host, pathname } = new URL(url);
  return `PostgreSQL at ${host || 'a local socket'}, database ${pathname.slice(1) || 'by default'}`;
}
