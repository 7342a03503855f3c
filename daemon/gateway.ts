/** The whole daemon as one object: wiring only. Ground floor first at start, top floor first at stop. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../core/clock/clock.ts';
import { WatchedClock } from '../core/clock/watched-clock.ts';
import type { CertificateView } from '../core/contract/http.ts';
import { describeError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { makeWires } from '../drivers/transports.ts';
import type { Simulation } from '../sim/simulation.ts';
import { AuditLog } from './audit/audit-log.ts';
import { recordStart } from './audit/config-change.ts';
import type { Environment } from './config/environment.ts';
import { harmLimits } from './config/harm-limits.ts';
import type { GatewayConfig } from './config/load.ts';
import { ConfigRuleFiles } from './config/rule-files.ts';
import { Estimates } from './estimates/estimates.ts';
import { makeSimulation } from './make-simulation.ts';
import { Notifier } from './notify/notifier.ts';
import { AlertService } from './pipeline/alert-service.ts';
import { ClockKeeper } from './pipeline/clock-keeper.ts';
import { CompletenessLedger } from './pipeline/completeness.ts';
import { GatewayWatch } from './pipeline/gateway-watch.ts';
import { judgedPacks } from './pipeline/judged-packs.ts';
import { PackLiveView } from './pipeline/live-view.ts';
import { estimateMemory, fleetMemory, siblingMemory } from './pipeline/memories.ts';
import { moments } from './pipeline/moments.ts';
import { PackFleets } from './pipeline/pack-fleets.ts';
import type { PackMemory } from './pipeline/pack-memory.ts';
import { RulePreview } from './pipeline/rule-preview.ts';
import { Sampler } from './pipeline/sampler.ts';
import { ensureFirstAdministrator, type FirstAdministrator } from './server/auth/first-administrator.ts';
import { createServer, type HttpServer } from './server/server.ts';
import type { GatewayServices } from './server/services.ts';
import { certificateDirectory } from './server/tls/certificate-keeper.ts';
import { lockState } from './state-lock.ts';
import { type StatusParts, systemStatus } from './status.ts';
import { stopInTurn, stoppedWhileStarting } from './stopping.ts';
import type { ProcessLock } from './store/file/process-lock.ts';
import { createSqliteStore } from './store/sqlite-store.ts';
import type { LogSource, Store } from './store/store.ts';
import { Supervisor } from './supervisor.ts';
import { createTimeSource, type TimeSource } from './system/time-source.ts';
import { NO_USERS } from './upstream/central-users.ts';
import { createUpstream, type Upstream } from './upstream/upstream.ts';

export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  /** Default: the machine's. */
  readonly time_source?: TimeSource;
  /** The storage, of which nothing could be read at the start, has been opened: what is in it needs another start. */
  readonly onStorageBack?: () => void;
}

export interface StartedGateway {
  readonly url: string;
  /** All addresses it is served at, for other machines too. */
  readonly urls: readonly string[];
  /** Null: plain HTTP. */
  readonly certificate: CertificateView | null;
  readonly administrator: FirstAdministrator;
}

const UI_DIRECTORY = fileURLToPath(new URL('../ui/dist', import.meta.url));

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #clock: WatchedClock;
  readonly #wires = makeWires();
  readonly #store: Store & LogSource;
  readonly #supervisor: Supervisor;
  readonly #simulation: Simulation | undefined;
  readonly #live: PackLiveView;
  readonly #alerts: AlertService;
  readonly #estimates: Estimates;
  /** What was learned of packs, kept over restarts. */
  readonly #memories: readonly PackMemory[];
  readonly #previews: RulePreview;
  readonly #notifier: Notifier;
  readonly #sampler: Sampler;
  readonly #clock_keeper: ClockKeeper;
  readonly #watch: GatewayWatch;
  readonly #completeness: CompletenessLedger;
  readonly #upstream: Upstream;
  readonly #audit: AuditLog;
  readonly #started_mono_ms: number;
  #lock: ProcessLock | undefined;
  #server: HttpServer | undefined;
  #starting: Promise<unknown> | undefined;
  #is_stopped = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { log } = options;
    const clock = new WatchedClock(options.clock);
    this.#clock = clock;
    const { config, topology, connections } = options.config;
    this.#started_mono_ms = clock.monoMs();
    this.#store = createSqliteStore({
      ...config.storage,
      keep_unsynced: config.upstream.database_url !== undefined,
      isTimeCertain: () => this.#clock_keeper.isCertain,
      clock,
      log,
    });
    this.#clock_keeper = new ClockKeeper({
      clock,
      log,
      store: this.#store,
      source: options.time_source ?? createTimeSource({ clock }),
      onCorrected: corrections => this.#completeness.corrected(corrections),
    });
    this.#audit = new AuditLog(this.#store, clock);
    this.#supervisor = new Supervisor(
      connections,
      { clock, log, interval_ms: config.interval_ms, onUpdate: pack => this.#live.packChanged(pack) },
      this.#wires,
    );
    this.#simulation = makeSimulation(options.config, { wires: this.#wires, clock, log });
    const packs = judgedPacks(connections, this.#supervisor.packStates(topology.packs.length));
    this.#alerts = new AlertService(
      topology,
      config.alerts.rules,
      {
        silent_after_ms: config.alerts.silent_after_ms,
        run: randomUUID().slice(0, 8),
        onServiceEnded: ({ id, reason }) =>
          this.#audit.record({ actor: 'system', action: 'alert.in_service', target: id, old: { reason } }),
        deviceAlarmLabel: (pack, code) =>
          packs[pack].binding.profile.device_alarms?.find(alarm => alarm.code === code)?.label ?? code,
      },
      this.#store,
      log,
    );
    const fleets = new PackFleets(topology);
    this.#estimates = new Estimates({
      topology,
      packs,
      plans: options.config.estimates,
      limits: harmLimits(topology),
      interval_ms: config.interval_ms,
      wallMs: () => clock.wallMs(),
      log,
    });
    const { documents } = this.#store;
    this.#memories = [
      siblingMemory(topology, packs, documents, log),
      fleetMemory(fleets, documents, log),
      estimateMemory(this.#estimates.remembered(), documents, log),
    ];
    this.#previews = new RulePreview({
      topology,
      silent_after_ms: config.alerts.silent_after_ms,
      alerts: this.#alerts,
      store: this.#store,
    });
    this.#notifier = new Notifier({
      policy: config.notify,
      topology,
      alerts: this.#alerts,
      store: this.#store,
      clock,
      log,
      secret: options.environment.secret,
    });
    this.#live = new PackLiveView({
      clock,
      topology,
      packs,
      linkReason: pack => this.#supervisor.packReason(pack),
      activeAlerts: () => this.#alerts.active(),
      estimates: this.#estimates,
    });
    this.#completeness = new CompletenessLedger({
      clock,
      log,
      topology,
      interval_ms: config.interval_ms,
      store: this.#store,
      isPlausible: () => this.#clock_keeper.isPlausible,
    });
    this.#sampler = new Sampler({
      clock,
      interval_ms: config.interval_ms,
      packs,
      ...moments({
        packs,
        fleets,
        estimates: this.#estimates,
        store: this.#store,
        completeness: this.#completeness,
        alerts: this.#alerts,
        silentReason: pack => this.#supervisor.packReason(pack),
        started_mono_ms: this.#started_mono_ms,
        onEnd: mono_ms => {
          for (const memory of this.#memories) memory.saveNowAndThen(mono_ms);
        },
      }),
    });
    this.#upstream = createUpstream({
      database_url: config.upstream.database_url,
      batch_rows: config.upstream.batch_rows,
      onUsers: async users => this.#server?.acceptCentralUsers(users),
      gateway_id: topology.gateway_id,
      source: this.#store,
      clock,
      log,
    });
    this.#watch = new GatewayWatch({
      clock,
      log,
      parts: () => this.#parts(),
      judge: (parts, t_ms, mono_ms) => this.#alerts.judgeGateway(parts, t_ms, mono_ms),
    });
  }

  /** Throws a GatewayError when a person must change something first, or STOPPED; call `stop()` then as well. */
  start(): Promise<StartedGateway> {
    const started = this.#start().catch(error => {
      throw this.#is_stopped ? stoppedWhileStarting(error) : error;
    });
    this.#starting = started.catch(() => undefined);
    return started;
  }

  async #start(): Promise<StartedGateway> {
    const { config, environment } = this.#options;
    const clock = this.#clock;
    // The storage has a lock of its own where it lies.
    if (config.config.storage.directory !== environment.state_dir)
      await this.#step(() => {
        this.#lock = lockState(environment.state_dir, this.#options.log);
      });
    await this.#step(() => this.#store.open(config.topology));
    await this.#step(() => this.#clock_keeper.start());
    for (const memory of this.#memories) await this.#step(() => memory.restore());
    await this.#step(() => this.#alerts.restore(clock.wallMs(), clock.monoMs()));
    await this.#step(() =>
      recordStart(
        this.#audit,
        this.#store.documents,
        {
          version: this.#options.version,
          configuration: { ...config.config, topology: config.topology },
        },
        this.#options.log,
      ),
    );
    const administrator = await this.#step(() =>
      ensureFirstAdministrator(this.#store.documents, clock, {
        password: environment.admin_password,
        log: this.#options.log,
      }),
    );
    const server = await this.#step(async () => {
      this.#server = await createServer(this.#services(), {
        ...config.config.server,
        jwt_secret: environment.jwt_secret,
        state_dir: environment.state_dir,
        ui_directory: UI_DIRECTORY,
        certificate_directory: certificateDirectory(environment.state_dir),
      });
      return this.#server;
    });
    // Without a centre there are no users of one.
    if (!config.config.upstream.database_url) await this.#step(() => server.acceptCentralUsers(NO_USERS));
    const { url, urls } = await this.#step(() => server.listen());
    await this.#step(() => this.#simulation?.start());
    await this.#step(() => this.#supervisor.start());
    await this.#step(() => this.#notifier.start());
    await this.#step(() => {
      this.#sampler.start();
      this.#watch.start();
    });
    await this.#step(() => this.#startStored());
    return { url, urls, certificate: server.certificate(), administrator };
  }

  /** What needs a log that can be written; where it cannot be yet, as soon as it can. */
  #startStored(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#store.onOpen(() => {
        if (this.#is_stopped) return resolve();
        if (this.#store.is_unread) return this.#options.onStorageBack?.();
        this.#upstream.start();
        this.#completeness.start().then(resolve, error => {
          this.#options.log.error(
            { component: 'completeness', reason: describeError(error) },
            'did not start',
          );
          reject(error);
        });
      });
      // Not waited for then: the gateway serves meanwhile.
      if (this.#store.stats().fault !== undefined) resolve();
    });
  }

  /** Readings that could not be written at the stop. */
  get readings_lost(): number {
    return this.#store.lost_at_close;
  }

  /** Nothing is begun once the gateway is to stop. */
  async #step<T>(act: () => T | Promise<T>): Promise<T> {
    if (this.#is_stopped) throw stoppedWhileStarting();
    return await act();
  }

  /** Takes what can change without a restart: the TLS certificate. */
  async reload(): Promise<void> {
    await this.#server?.reloadCertificate();
  }

  /** Safe at any moment, also while it starts, also after a failed start, also twice. */
  async stop(): Promise<void> {
    this.#is_stopped = true;
    await this.#stopParts();
    if (!this.#starting) return;
    // What the step under way had begun meanwhile is stopped as well.
    await this.#starting;
    await this.#stopParts();
  }

  async #stopParts(): Promise<void> {
    const steps: [string, () => unknown][] = [
      ['watch', () => this.#watch.stop()],
      ['sampler', () => this.#sampler.stop()],
      ...this.#memories.map((memory): [string, () => unknown] => [memory.kind, () => memory.stop()]),
      ['alerts', () => this.#alerts.stop(this.#clock.wallMs(), this.#clock.monoMs())],
      ['notify', () => this.#notifier.stop()],
      ['completeness', () => this.#completeness.stop()],
      ['server', () => this.#server?.close()],
      ['connections', () => this.#supervisor.stop()],
      ['simulation', () => this.#simulation?.stop()],
      ['upstream', () => this.#upstream.stop()],
      ['clock', () => this.#clock_keeper.stop()],
      ['store', () => this.#store.close()],
      ['lock', () => this.#lock?.release()],
    ];
    await stopInTurn(steps, this.#options.log);
  }

  /** What the watchdog asks: false when a restart can help. A disk that fails is not mended by one. */
  healthy(): boolean {
    return this.#store.isAlive();
  }

  #services(): GatewayServices {
    const { log, version, config } = this.#options;
    const clock = this.#clock;
    return {
      clock,
      log,
      version,
      interval_ms: config.config.interval_ms,
      topology: config.topology,
      live: this.#live,
      estimates: this.#estimates,
      alerts: this.#alerts,
      previews: this.#previews,
      rule_files: new ConfigRuleFiles(config.topology, this.#alerts),
      notifications: this.#notifier,
      store: this.#store,
      audit: this.#audit,
      time: this.#clock_keeper,
      status: () => systemStatus(this.#parts()),
      simulation: this.#simulation?.control,
    };
  }

  #parts(): StatusParts {
    const { version, config } = this.#options;
    return {
      version,
      gateway_id: config.topology.gateway_id,
      t_ms: this.#clock.wallMs(),
      uptime_ms: this.#clock.monoMs() - this.#started_mono_ms,
      connections: this.#supervisor.health(),
      clock: this.#clock_keeper.status(),
      sampler: this.#sampler.counters,
      store: this.#store.stats(),
      upstream: this.#upstream.status(),
      server: this.#server?.status(),
      certificate: this.#server?.certificate() ?? null,
      notify: { failing: this.#notifier.failing(), status: this.#notifier.status() },
    };
  }
}
