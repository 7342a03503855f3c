/** The default fleet behind a server, without drivers: pack states that are written into by hand. */
import { systemClock } from '../core/clock/system-clock.ts';
import { silentLogger } from '../core/log.ts';
import { CELL_METRICS, CellMetric, PACK_METRICS, PackMetric } from '../core/metrics.ts';
import { PackState } from '../core/reading/pack-state.ts';
import { plausibleLimits } from '../core/reading/plausibility.ts';
import { PackJudge } from '../core/siblings/pack-judge.ts';
import { readEnvironment } from '../daemon/config/environment.ts';
import { loadConfig } from '../daemon/config/load.ts';
import { Estimates } from '../daemon/estimates/estimates.ts';
import { AlertService } from '../daemon/pipeline/alert-service.ts';
import { PackLiveView } from '../daemon/pipeline/live-view.ts';
import { PasswordHasher } from '../daemon/server/auth/passwords.ts';
import { UserDirectory } from '../daemon/server/auth/users.ts';
import type { ServerOptions } from '../daemon/server/options.ts';
import type { GatewayServices } from '../daemon/server/services.ts';
import { CHEAP, makeTestSite, PASSWORD, testOptions } from '../daemon/server/testing/test-site.ts';
import { loadProfiles } from '../drivers/profiles/load.ts';

export interface BenchSite {
  readonly services: GatewayServices;
  readonly options: ServerOptions;
  readonly login: { readonly username: string; readonly password: string };
  readonly cells: number;
  /** What a dashboard is in while it shows every cell. */
  readonly rooms: readonly string[];
  /** New values for every cell and pack. */
  changeAll(): void;
}

export async function makeFleetSite(): Promise<BenchSite> {
  const config = loadConfig('daemon/config/demo.yaml', readEnvironment({}), loadProfiles());
  const { topology } = config;
  const bindings = config.connections
    .flatMap(connection => connection.bindings)
    .toSorted((a, b) => a.pack - b.pack);
  const states = topology.packs.map(({ pack, shape }) => new PackState(pack, shape, 60_000));
  const { documents, services: test } = makeTestSite();
  const alerts = new AlertService(
    topology,
    config.config.alerts.rules,
    { silent_after_ms: 60_000, deviceAlarmLabel: (_, code) => code },
    { appendAlert: () => undefined, alerts: async () => [], pastAlerts: async () => [], documents },
  );
  const packs = states.map((state, pack) => ({
    state,
    judge: new PackJudge(state, plausibleLimits()),
    binding: bindings[pack],
  }));
  const estimates = new Estimates({
    topology,
    packs,
    plans: config.estimates,
    interval_ms: config.config.interval_ms,
    wallMs: () => systemClock.wallMs(),
    log: silentLogger,
  });
  const live = new PackLiveView({
    clock: systemClock,
    topology,
    packs,
    linkReason: () => undefined,
    activeAlerts: () => alerts.active(),
    estimates,
  });
  const users = new UserDirectory(documents, systemClock, new PasswordHasher(CHEAP), 0);
  const login = { username: 'ada', password: PASSWORD };
  await users.create({ ...login, role: 'admin' });
  let turn = 0;
  return {
    services: { ...test, clock: systemClock, log: silentLogger, topology, live, estimates, alerts },
    options: testOptions(),
    login,
    cells: topology.packs.reduce((sum, { shape }) => sum + shape.cell_count, 0),
    rooms: ['fleet', 'alerts', ...topology.batteries.map(({ id }) => `battery:${id}`)],
    changeAll() {
      turn++;
      for (const state of states) {
        fill(state, turn);
        live.packChanged(state.pack);
      }
    },
  };
}

function fill(state: PackState, turn: number): void {
  const now = systemClock.monoMs();
  const step = (turn % 50) / 1000 + state.pack / 10_000;
  for (const metric of PACK_METRICS.keys()) state.setValue(metric, 50 + step, now);
  state.setValue(PackMetric.voltage_v, 33 + step, now);
  for (let cell = 0; cell < state.shape.cell_count; cell++) {
    for (const metric of CELL_METRICS.keys()) state.setCell(metric, cell, 50 + step, now);
    state.setCell(CellMetric.voltage_v, cell, 3.3 + step + cell / 1000, now);
    state.setCell(CellMetric.temperature_c, cell, 25 + step * 10, now);
  }
}
