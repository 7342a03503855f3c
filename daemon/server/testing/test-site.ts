/**
 * For tests: the services of a small site, made of the real parts (pack states, live view, alert engine)
 * over documents in memory. Two batteries: `north` with packs `n1`, `n2`, and `south` with pack `s1`.
 */

import type { Alert } from '../../../core/alerts/alert.ts';
import type { GatewayParts } from '../../../core/alerts/gateway-rules.ts';
import { makeRule } from '../../../core/alerts/testing/make-rule.ts';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { refusal } from '../../../core/clock/wall-certainty.ts';
import type { AuditEntry, AuditReply } from '../../../core/contract/access.ts';
import type { ComponentStatus } from '../../../core/contract/http.ts';
import { GatewayError } from '../../../core/errors.ts';
import { silentLogger } from '../../../core/log.ts';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { PackReading, type PackShape } from '../../../core/reading/pack-reading.ts';
import { PackState } from '../../../core/reading/pack-state.ts';
import { plausibleLimits } from '../../../core/reading/plausibility.ts';
import type { AlertEvent } from '../../../core/reports/alert-performance.ts';
import { PackJudge } from '../../../core/siblings/pack-judge.ts';
import type { Topology } from '../../../core/topology/topology.ts';
import type { PackBinding } from '../../../drivers/driver.ts';
import { AuditLog } from '../../audit/audit-log.ts';
import { ConfigRuleFiles } from '../../config/rule-files.ts';
import { Estimates } from '../../estimates/estimates.ts';
import { noEstimates } from '../../estimates/plan.ts';
import { AlertService } from '../../pipeline/alert-service.ts';
import { PackLiveView } from '../../pipeline/live-view.ts';
import { RulePreview } from '../../pipeline/rule-preview.ts';
import { alertPage } from '../../store/read/alert-page.ts';
import { historyOfReadings, ThinnedSeries } from '../../store/read/history.ts';
import { historyText } from '../../store/read/history-text.ts';
import type {
  AlertRequest,
  AuditRequest,
  Documents,
  ExportRequest,
  HistoryFormat,
  HistoryRequest,
} from '../../store/store.ts';
import type { Argon2Cost } from '../auth/passwords.ts';
import { PasswordHasher } from '../auth/passwords.ts';
import { UserDirectory } from '../auth/users.ts';
import type { ServerContext, ServerOptions } from '../options.ts';
import type { GatewayServices, Notifications, SimulationControl } from '../services.ts';

/** The least argon2 takes: tests prove the way, not the cost. */
export const CHEAP: Argon2Cost = { memory_kib: 8, passes: 1, lanes: 1 };
export const PASSWORD = 'correct horse';
export const JWT_SECRET = 'a secret of at least thirty-two characters';

const RULES = [
  makeRule({ id: 'cell_high', limits: [{ critical: 3.65, hysteresis: 0.05, from: 'default' }] }),
];

export const FAULTY_STORAGE: GatewayParts = {
  upstream: { state: 'off', reason: undefined, code: undefined, counters: {} },
  store: {
    fault: 'the disk is full',
    quarantined: [],
    lost: undefined,
    parts_damaged: 0,
    readings_dropped: 0,
    readings_removed_unsynced: 0,
    first_seq: 1,
    used_bytes: 1e6,
    max_bytes: 4e9,
    free_bytes: 1e10,
    keep_free_bytes: 64e6,
    wal_bytes: 1e6,
    wal_held: undefined,
  },
  clock: { state: 'ok', reason: null },
  certificate: null,
  notify: { failing: [] },
};

export interface TestSite {
  readonly services: GatewayServices;
  readonly clock: ManualClock;
  readonly documents: Documents;
  readonly topology: Topology;
  /** Gives every cell of a pack this voltage, as a driver would, and notifies the live view. */
  setCells(pack: number, voltage_v: number): void;
  /** Takes a reading of a pack and lets the alert engine judge it. */
  judge(pack: number): void;
  /** Raises the alert `storage_fault` of the gateway itself. */
  raiseGatewayAlert(): void;
}

interface SiteOptions {
  readonly simulation?: boolean;
  readonly log?: GatewayServices['log'];
  readonly cell_count?: number;
}

export function makeTestSite(options: SiteOptions = {}): TestSite {
  const clock = new ManualClock();
  const shape: PackShape = {
    cell_count: options.cell_count ?? 4,
    sensor_count: 1,
    device_alarms: ['cell_over_voltage'],
  };
  const topology = makeTopology(shape);
  const states = topology.packs.map(node => new PackState(node.pack, shape, 10_000));
  const documents = new MemoryDocuments();
  const recorded = new Map<string, Alert>();
  const changes: Alert[] = [];
  const audit = new MemoryAudit();
  const store = {
    documents,
    audit: audit.read,
    flush: async () => undefined,
    completeness: async () => [],
    exportChunk: async ({ pack_ids }: ExportRequest) => ({
      text: Buffer.from(`${pack_ids.join('\n')}\n`),
      next_seq: null,
      readings: 0,
      undecodable: 0,
    }),
    appendAlert: (alert: Alert) => {
      recorded.set(alert.id, alert);
      changes.push(alert);
    },
    alerts: async (request: AlertRequest) => alertPage(recorded.values(), request),
    pastAlerts: async () => [],
    alertEvents: async () =>
      changes.map(alert => ({ ...alert, alert_id: alert.id, t_ms: alert.changed_ms })) as AlertEvent[],
    history: async (request: HistoryRequest, format: HistoryFormat) =>
      historyText(historyOfReadings(request, new ThinnedSeries(1)), format),
  };
  const alerts = new AlertService(
    topology,
    RULES,
    { silent_after_ms: 15_000, deviceAlarmLabel: (_, code) => code },
    store,
  );
  const packs = states.map(state => ({
    state,
    judge: new PackJudge(state, plausibleLimits()),
    binding: binding(topology, state.pack),
  }));
  const estimates = new Estimates({
    topology,
    packs,
    plans: packs.map(() => noEstimates('none in tests')),
    interval_ms: 2000,
    wallMs: () => clock.wallMs(),
    log: silentLogger,
  });
  const live = new PackLiveView({
    clock,
    topology,
    packs,
    linkReason: () => undefined,
    activeAlerts: () => alerts.active(),
    estimates,
  });
  let is_certain = false;
  const confirm = (client_clock_ms: number): ComponentStatus => {
    const refused = refusal(clock.wallMs(), client_clock_ms, is_certain);
    if (refused) throw new GatewayError('CONFLICT', refused);
    is_certain = true;
    return { name: 'clock', state: 'ok', reason: null, counters: { certain: 1 } };
  };
  const site: TestSite = {
    clock,
    documents,
    topology,
    services: {
      clock,
      log: options.log ?? silentLogger,
      version: '0.0.0-test',
      interval_ms: 2000,
      topology,
      live,
      estimates,
      alerts,
      previews: new RulePreview({ topology, silent_after_ms: 15_000, alerts, store: { replayRules } }),
      rule_files: new ConfigRuleFiles(topology, alerts),
      notifications: makeNotifications(),
      store,
      audit: new AuditLog(audit, clock),
      time: { confirm },
      status: () => ({
        version: '0.0.0-test',
        gateway_id: topology.gateway_id,
        t_ms: clock.wallMs(),
        uptime_s: Math.round(clock.monoMs() / 1000),
        state: 'ok',
        components: [{ name: 'store', state: 'ok', reason: null, counters: { commits: 7 } }],
      }),
      simulation: options.simulation === false ? undefined : makeFaults(),
    },
    setCells(pack, voltage_v) {
      const now = clock.monoMs();
      for (let cell = 0; cell < shape.cell_count; cell++)
        states[pack].setCell(CellMetric.voltage_v, cell, voltage_v, now);
      states[pack].setValue(PackMetric.voltage_v, voltage_v * shape.cell_count, now);
      live.packChanged(pack);
    },
    judge(pack) {
      const reading = new PackReading(pack, shape);
      states[pack].snapshotInto(reading, clock.wallMs(), clock.monoMs());
      alerts.judge(pack, { reading }, reading.t_ms, reading.mono_ms);
      alerts.finishMoment(reading.t_ms, reading.mono_ms);
    },
    raiseGatewayAlert() {
      for (const since_ms of [0, 10_000])
        alerts.judgeGateway(FAULTY_STORAGE, clock.wallMs(), clock.monoMs() + since_ms);
    },
  };
  for (const { pack } of topology.packs) site.setCells(pack, 3.3);
  return site;
}

/** Nothing is stored here. */
const replayRules = async () => ({
  before: { count: 0, alerts: [] },
  after: { count: 0, alerts: [] },
  is_whole: true,
  readings: 0,
  undecodable: 0,
  first_ms: null,
  last_ms: null,
});

/** `una` sees north, `mo` looks after north, `ada` administers; all with the same password. */
export async function addTestUsers({ documents, clock }: TestSite): Promise<void> {
  const users = new UserDirectory(documents, clock, new PasswordHasher(CHEAP), 0);
  await users.create({ username: 'una', password: PASSWORD, role: 'user', batteries: ['north'] });
  await users.create({ username: 'mo', password: PASSWORD, role: 'moderator', batteries: ['north'] });
  await users.create({ username: 'ada', password: PASSWORD, role: 'admin' });
}

/** A session token of this user, as a login by a program gives it. */
export async function tokenOf({ users, authenticator }: ServerContext, username: string): Promise<string> {
  const user = await users.find(username);
  if (!user) throw new Error(`no user ${username}`);
  return (await authenticator.begin(user, { address: '192.0.2.1', user_agent: 'test' }, 'program')).token;
}

export function testOptions(options: Partial<ServerOptions> = {}): ServerOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    insecure_http: false,
    session_hours: 12,
    jwt_secret: JWT_SECRET,
    ui_directory: '/nonexistent',
    argon2: CHEAP,
    ...options,
  };
}

export class MemoryDocuments implements Documents {
  readonly #bodies = new Map<string, Map<string, string>>();

  async get(kind: string, id: string): Promise<unknown | undefined> {
    const text = this.#bodies.get(kind)?.get(id);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async list(kind: string): Promise<{ id: string; body: unknown }[]> {
    return [...(this.#bodies.get(kind) ?? [])].map(([id, text]) => ({ id, body: JSON.parse(text) }));
  }

  async put(kind: string, id: string, body: unknown): Promise<void> {
    const bodies = this.#bodies.get(kind) ?? new Map();
    this.#bodies.set(kind, bodies.set(id, JSON.stringify(body)));
  }

  async delete(kind: string, id: string): Promise<boolean> {
    return this.#bodies.get(kind)?.delete(id) ?? false;
  }
}

class MemoryAudit {
  readonly #entries: AuditEntry[] = [];

  appendRecord(_kind: unknown, _t_ms: number, record: object): void {
    this.#entries.push(record as AuditEntry);
  }

  readonly read = async ({ action, limit }: AuditRequest): Promise<AuditReply> => ({
    entries: this.#entries
      .filter(entry => action === undefined || entry.action === action)
      .slice(-limit)
      .reverse(),
    next: null,
  });
}

function makeTopology(shape: PackShape): Topology {
  const node = (pack: number, id: string, battery: number, battery_id: string) => ({
    pack,
    id,
    name: `Pack ${id}`,
    battery,
    battery_id,
    profile_id: 'test-profile',
    connection_id: 'bus',
    address: pack + 1,
    shape,
  });
  return {
    site: { id: 'site', name: 'Test site' },
    gateway_id: 'test-gateway',
    batteries: [
      { battery: 0, id: 'north', name: 'North', chemistry: 'lfp', packs: [0, 1] },
      { battery: 1, id: 'south', name: 'South', chemistry: 'lfp', packs: [2] },
    ],
    packs: [node(0, 'n1', 0, 'north'), node(1, 'n2', 0, 'north'), node(2, 's1', 1, 'south')],
  };
}

function binding(topology: Topology, pack: number): PackBinding {
  const { address, id, shape } = topology.packs[pack];
  return {
    pack,
    pack_id: id,
    profile: {
      id: 'test-profile',
      title: 'Test profile',
      vendor: 'None',
      models: [],
      source: 'Made for tests',
      transport: 'can',
      cells: { max: shape.cell_count },
      directory: '.',
    },
    address,
    shape,
    options: {},
    sensor_of_cell: undefined,
  };
}

/** One receiver, `office`, that accepts everything. */
function makeNotifications(): Notifications {
  return {
    view: () => ({ receivers: [], notifications: [] }),
    onNotified: () => () => {},
    notifiedOf: () => [{ receiver: 'office', event: 'raised', at_ms: 1 }],
    async test(receiver) {
      if (receiver !== 'office') throw new GatewayError('NOT_FOUND', `There is no receiver '${receiver}'`);
      return { accepted: true, reply: '250 OK' };
    },
  };
}

function makeFaults(): SimulationControl {
  const faults = new Map<string, object>();
  return {
    faults: () => [...faults].map(([id, fault]) => ({ id, ...fault })),
    addFault(fault) {
      if (typeof fault !== 'object' || fault === null || !('kind' in fault))
        throw new GatewayError('BAD_REQUEST', 'kind: found nothing, expected a kind of fault');
      const id = `f${faults.size + 1}`;
      faults.set(id, fault);
      return id;
    },
    removeFault: id => faults.delete(id),
  };
}
