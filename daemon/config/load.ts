/**
 * Loads the configuration: the file checked and resolved, the environment laid over it, nothing left to guess.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ThresholdRule } from '../../core/alerts/rule.ts';
import { describeError } from '../../core/errors.ts';
import { describeFound } from '../../core/schema/describe.ts';
import type { Finding, Problem } from '../../core/schema/problem.ts';
import { sortProblems } from '../../core/schema/problem.ts';
import { checkYaml } from '../../core/schema/yaml-document.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { LoadedProfiles } from '../../drivers/profiles/load.ts';
import type { SimulationConfig } from '../../sim/simulation-config.ts';
import type { EstimatePlan } from '../estimates/plan.ts';
import type { NotifyPolicy } from '../notify/policy.ts';
import { isAddressOrNetwork } from '../server/addresses.ts';
import { ConfigError } from './config-error.ts';
import { DEFAULTS } from './defaults.ts';
import {
  DATABASE_URL_EXPECTED,
  type Environment,
  environmentProblem,
  wrongDatabaseUrl,
} from './environment.ts';
import type { Findings } from './findings.ts';
import { type BoundConnection, buildFleet } from './fleet.ts';
import { resolveNotify } from './notify.ts';
import { knownScopes, resolveRules, scopeFindings } from './rules.ts';
import { Config } from './schema.ts';

/** The configuration with every default filled in and the environment laid over it; paths are absolute. */
export interface ResolvedConfig {
  readonly interval_ms: number;
  readonly alerts: { readonly silent_after_ms: number; readonly rules: readonly ThresholdRule[] };
  readonly notify: NotifyPolicy;
  readonly storage: {
    readonly directory: string;
    readonly commit_interval_ms: number;
    readonly retention_days: number;
    readonly max_bytes: number;
    readonly scrub_days: number;
  };
  /** Without `database_url` there is no sync. */
  readonly upstream: { readonly database_url: string | undefined; readonly batch_rows: number };
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly tls: { readonly certificate_file: string; readonly key_file: string } | undefined;
    readonly insecure_http: boolean;
    readonly trusted_proxies: readonly string[];
    readonly security_contact: string | undefined;
    readonly session_hours: number;
  };
  readonly simulation: SimulationConfig | undefined;
}

export interface GatewayConfig {
  /** Absolute path of the file. */
  readonly file: string;
  readonly config: ResolvedConfig;
  readonly topology: Topology;
  /** Those that carry packs, in configuration order. */
  readonly connections: readonly BoundConnection[];
  /** What the estimates of each pack rest on, in dense pack order. */
  readonly estimates: readonly EstimatePlan[];
  /** What works but is hardly meant, in file order. */
  readonly warnings: readonly Problem[];
}

/** Throws a ConfigError with every problem of the file, each with its line. */
export function loadConfig(file: string, environment: Environment, profiles: LoadedProfiles): GatewayConfig {
  const document = checkYaml(file, readText(file), Config);
  if (!document.value) throw new ConfigError(document.problems);
  const path = resolve(file);
  const findings: Findings = { problems: [], warnings: [] };
  const config = resolveConfig(document.value, environment, dirname(path), findings);
  const fleet = buildFleet(document.value, profiles, dirname(path), findings, config.interval_ms);
  if (fleet)
    findings.problems.push(...scopeFindings(document.value.alerts ?? {}, knownScopes(fleet.topology)));
  const inOrder = (list: readonly Finding[]) => sortProblems(list.map(document.locate));
  if (!fleet || findings.problems.length > 0) throw new ConfigError(inOrder(findings.problems));
  const warnings = [...inOrder(findings.warnings), ...weakSecrets(environment)];
  return { file: path, config, ...fleet, warnings };
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'a file that this user may not read',
  EPERM: 'a file that this user may not read',
  EISDIR: 'a directory',
};

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const found = UNREADABLE[code] ?? describeError(error);
    const expected = 'a configuration file that can be read';
    const message = `found ${found}, expected ${expected}`;
    throw new ConfigError([{ file, line: 0, column: 0, path: '', found, expected, message }]);
  }
}

function resolveConfig(
  config: Config,
  environment: Environment,
  directory: string,
  findings: Findings,
): ResolvedConfig {
  const { alerts = {}, storage = {}, upstream = {}, simulation } = config;
  const interval_ms =
    (simulation && environment.simulation_interval_ms) ?? config.interval_ms ?? DEFAULTS.interval_ms;
  const wrongUrl = upstream.database_url && wrongDatabaseUrl(upstream.database_url);
  if (wrongUrl)
    findings.problems.push({
      path: ['upstream', 'database_url'],
      found: wrongUrl,
      expected: DATABASE_URL_EXPECTED,
    });
  if (alerts.silent_after_ms !== undefined && alerts.silent_after_ms < 2 * interval_ms)
    findings.warnings.push({
      path: ['alerts', 'silent_after_ms'],
      found: String(alerts.silent_after_ms),
      expected: `at least two intervals of ${interval_ms} ms; packs may count as silent between two readings`,
    });
  return {
    interval_ms,
    alerts: {
      silent_after_ms: alerts.silent_after_ms ?? Math.max(DEFAULTS.silent_after_ms, 5 * interval_ms),
      rules: resolveRules(alerts, findings.problems),
    },
    notify: resolveNotify(config, directory, environment.secret, findings),
    storage: {
      directory: storage.directory ? resolve(directory, storage.directory) : environment.state_dir,
      commit_interval_ms: storage.commit_interval_ms ?? DEFAULTS.commit_interval_ms,
      retention_days: storage.retention_days ?? DEFAULTS.retention_days,
      max_bytes: (storage.max_size_gb ?? DEFAULTS.max_size_gb) * 1e9,
      scrub_days: storage.scrub_days ?? DEFAULTS.scrub_days,
    },
    upstream: {
      database_url: environment.database_url ?? upstream.database_url,
      batch_rows: upstream.batch_rows ?? DEFAULTS.batch_rows,
    },
    server: resolveServer(config, environment, directory, findings),
    simulation,
  };
}

function resolveServer(
  { server = {} }: Config,
  environment: Environment,
  directory: string,
  { problems }: Findings,
): ResolvedConfig['server'] {
  const tls = server.tls && {
    certificate_file: resolve(directory, server.tls.certificate_file),
    key_file: resolve(directory, server.tls.key_file),
  };
  for (const key of ['certificate_file', 'key_file'] as const)
    if (tls && !existsSync(tls[key]))
      problems.push({ path: ['server', 'tls', key], found: `no file ${tls[key]}`, expected: 'a PEM file' });
  const host = environment.http_host ?? server.host ?? DEFAULTS.host;
  const { trusted_proxies = [] } = server;
  for (const [i, entry] of trusted_proxies.entries())
    if (!isAddressOrNetwork(entry))
      problems.push({
        path: ['server', 'trusted_proxies', i],
        found: describeFound(entry),
        expected: 'an address or a network such as 10.0.0.0/8',
      });
  const insecure_http = server.insecure_http ?? DEFAULTS.insecure_http;
  return {
    host,
    port: environment.http_port ?? server.port ?? DEFAULTS.port,
    tls,
    insecure_http,
    trusted_proxies,
    security_contact: server.security_contact,
    session_hours: server.session_hours ?? DEFAULTS.session_hours,
  };
}

function weakSecrets({ jwt_secret }: Environment): Problem[] {
  const warnings: Problem[] = [];
  if (jwt_secret && jwt_secret.length < 32)
    warnings.push(environmentProblem('JWT_SECRET', `${jwt_secret.length} characters`, '32 or more'));
  return warnings;
}
