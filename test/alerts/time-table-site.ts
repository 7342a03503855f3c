/** The site of a time table: packs whose values a person sets, and all of the gateway from their state to the receiver. */
import { type Alert, WEAK_CELL_RULE } from '../../core/alerts/alert.ts';
import { makeTopology } from '../../core/alerts/testing/alert-bench.ts';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { PackState } from '../../core/reading/pack-state.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { Notifier } from '../../daemon/notify/notifier.ts';
import type { NotifyPolicy } from '../../daemon/notify/policy.ts';
import type { Delivery, Outgoing } from '../../daemon/notify/receivers/receiver.ts';
import { policy, route } from '../../daemon/notify/testing/notify-bench.ts';
import { AlertService } from '../../daemon/pipeline/alert-service.ts';
import { Sampler } from '../../daemon/pipeline/sampler.ts';
import { createSqliteStore } from '../../daemon/store/sqlite-store.ts';
import type { LogSource, Store } from '../../daemon/store/store.ts';
import { storeOptions, temporaryDirectory } from '../../daemon/store/testing/fixtures.ts';
import { durationOf, type TableSetup } from './time-table.ts';

const MIDNIGHT_MS = Date.UTC(2026, 0, 1);

export interface Seen {
  readonly at_ms: number;
  readonly text: string;
}

interface Run {
  readonly store: Store & LogSource;
  readonly service: AlertService;
  readonly notifier: Notifier;
  readonly sampler: Sampler;
}

interface Pack {
  readonly state: PackState;
  readonly cells: number[];
  soc_pct: number;
  temperature_c: number;
  is_silent: boolean;
  is_suspect: boolean;
}

export class TimeTableSite {
  readonly seen: Seen[] = [];
  readonly #setup: TableSetup;
  readonly #clock: ManualClock;
  readonly #topology;
  readonly #packs: Pack[];
  readonly #directory = temporaryDirectory();
  #run: Run | undefined;
  /** Calls into the store that have not ended. */
  #under_way = 0;
  #extra_ms = 0;
  #runs = 0;
  #notifications = 0;
  #fails = false;

  constructor(setup: TableSetup) {
    this.#setup = setup;
    this.#clock = new ManualClock(MIDNIGHT_MS + setup.clock_ms);
    this.#topology = makeTopology(setup.packs);
    this.#packs = this.#topology.packs.map(({ pack, shape }) => ({
      state: new PackState(pack, shape, Math.max(2500, 2.5 * setup.interval_ms)),
      cells: [3.3, 3.3, 3.3, 3.3],
      soc_pct: 60,
      temperature_c: 25,
      is_silent: false,
      is_suspect: false,
    }));
  }

  async start(): Promise<void> {
    this.#report();
    const store = createSqliteStore(storeOptions(this.#directory.path, { clock: this.#clock }));
    await store.open(this.#topology);
    const watched = this.#watched(store);
    const { silent_after_ms, rule, interval_ms } = this.#setup;
    const engine = {
      silent_after_ms,
      deviceAlarmLabel: (_: number, code: string) => code,
      run: `r${++this.#runs}`,
    };
    const service = new AlertService(this.#topology, [rule], engine, watched);
    const started_ms = this.#clock.monoMs();
    await service.restore(this.#clock.wallMs(), started_ms);
    service.onChange(alert => this.#see(this.#textOf(alert)));
    const notifier = new Notifier({
      policy: this.#policy(),
      topology: this.#topology,
      alerts: service,
      store: watched,
      clock: this.#clock,
      log: silentLogger,
      secret: () => 'secret',
      makeReceiver: id => ({ to: id, fault: undefined, send: message => this.#receive(id, message) }),
      newId: () => `n${++this.#notifications}`,
    });
    await notifier.start();
    const sampler = this.#sampler(service, store, started_ms, interval_ms);
    sampler.start();
    this.#run = { store, service, notifier, sampler };
    await this.#settle();
  }

  #sampler(service: AlertService, store: Store, started_ms: number, interval_ms: number): Sampler {
    const packs = this.#packs.map(({ state }) => ({ state, judge: new PackJudge(state, plausibleLimits()) }));
    const readings: (PackReading | undefined)[] = [];
    return new Sampler({
      clock: this.#clock,
      interval_ms,
      packs,
      onReading: reading => {
        store.append(reading);
        readings[reading.pack] = reading;
      },
      onMoment: (t_ms, mono_ms) => {
        for (const { state, judge } of packs) {
          const reading = readings[state.pack];
          const silent_ms = state.silentMs(mono_ms, started_ms);
          const facts = { reading, silent_ms, two_devices: judge.twoDevices(), doubts: () => [] };
          service.judge(state.pack, facts, t_ms, mono_ms);
          readings[state.pack] = undefined;
        }
        service.finishMoment(t_ms, mono_ms);
      },
    });
  }

  async stop(): Promise<void> {
    await this.#end();
    this.#directory.remove();
  }

  async #end(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (!run) return;
    run.sampler.stop();
    await run.service.stop(this.#clock.wallMs(), this.#clock.monoMs());
    await run.notifier.stop();
    await run.store.close();
  }

  /** Time goes on; returns how much of it, with what passed while the gateway was off. */
  async pass(by_ms: number): Promise<number> {
    const extra_ms = this.#extra_ms;
    this.#extra_ms = 0;
    if (extra_ms >= by_ms) return extra_ms;
    await this.#clock.advanceAsync(by_ms - extra_ms);
    await this.#settle();
    this.#report();
    return by_ms;
  }

  /** Until the store's threads have answered all that was asked of them. */
  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise(resolve => setImmediate(resolve));
      if (this.#under_way > 0) quiet = -1;
    }
  }

  /** Every pack that speaks reports what it has. */
  #report(): void {
    const mono_ms = this.#clock.monoMs();
    for (const { state, cells, soc_pct, temperature_c, is_silent, is_suspect } of this.#packs) {
      if (is_silent) continue;
      for (const [cell, voltage_v] of cells.entries())
        state.setCell(CellMetric.voltage_v, cell, voltage_v, mono_ms, is_suspect);
      state.setValue(PackMetric.soc_pct, soc_pct, mono_ms, is_suspect);
      state.setValue(PackMetric.temperature_c, temperature_c, mono_ms, is_suspect);
    }
  }

  /** What a line says that happens. Throws where it is not understood. */
  async happen(text: string): Promise<void> {
    const wrong = () => new Error('is not understood');
    const [, pack_no, about] = /^p(\d) (.*)$/.exec(text) ?? [];
    if (about !== undefined) this.#onPack(this.#packs[Number(pack_no) - 1], about, wrong);
    else if (text === 'restart') {
      await this.#end();
      await this.start();
    } else if (text.startsWith('off for ')) {
      const off_ms = durationOf(text.slice('off for '.length), wrong);
      await this.#end();
      this.#clock.advance(off_ms);
      this.#extra_ms = off_ms;
      await this.start();
    } else if (text.startsWith('clock ')) {
      const [, sign, by] = /^clock ([+-])(.*)$/.exec(text) ?? [];
      this.#clock.stepWall((sign === '-' ? -1 : 1) * durationOf(by, wrong));
    } else if (text === 'receivers fail' || text === 'receivers work') this.#fails = text.endsWith('fail');
    else if (text.startsWith('limit '))
      await this.#changeLimit(Number.parseFloat(text.slice('limit '.length)));
    else this.#handle(text, wrong);
    this.#report();
    await this.#settle();
  }

  #onPack(pack: Pack, about: string, wrong: () => Error): void {
    const [, cell, value] = /^cell (\d) at ([\d.]+) V$/.exec(about) ?? [];
    const [, quantity, amount] = /^(charge|temperature) at ([\d.]+) (?:%|°C)$/.exec(about) ?? [];
    if (value !== undefined) pack.cells[Number(cell) - 1] = Number(value);
    else if (quantity === 'charge') pack.soc_pct = Number(amount);
    else if (quantity === 'temperature') pack.temperature_c = Number(amount);
    else if (about === 'falls silent') pack.is_silent = true;
    else if (about === 'speaks') pack.is_silent = false;
    else if (about === 'suspect') pack.is_suspect = true;
    else if (about === 'trusted') pack.is_suspect = false;
    else throw wrong();
  }

  async #changeLimit(critical: number): Promise<void> {
    const by = { by: 'ada', at_ms: this.#clock.wallMs() };
    await this.#run?.service.changeSettings({ rules: { high: { limits: [{ critical }] } } }, by);
  }

  /** "ada acknowledges", "ada shelves for 30 s", "ada unshelves", "ada notes cable replaced" */
  #handle(text: string, wrong: () => Error): void {
    const [, by, what, rest] = /^(\w+) (acknowledges|shelves|unshelves|notes)(?: (.*))?$/.exec(text) ?? [];
    const service = this.#run?.service;
    const [alert] = service?.open() ?? [];
    if (!service || what === undefined) throw wrong();
    if (!alert) throw new Error('there is no open alert');
    const act = { by, at_ms: this.#clock.wallMs() };
    if (what === 'acknowledges') service.acknowledge(alert.id, act, null);
    else if (what === 'unshelves') service.unshelve(alert.id, act);
    else if (what === 'notes') service.note(alert.id, act, rest);
    else
      service.shelve(alert.id, act, {
        duration_ms: durationOf(rest.replace('for ', ''), wrong),
        reason: 'repair',
      });
  }

  #policy(): NotifyPolicy {
    const { notify } = this.#setup;
    if (!notify) return policy({ receivers: [], routes: [] });
    const { group_ms, quiet, digest_at_min, escalate_after_ms } = notify;
    const receiver = (id: string) =>
      ({ id, type: 'webhook', url: 'http://192.0.2.1/', secret_from: 'X' }) as const;
    return policy({
      receivers: [receiver('office'), receiver('manager')],
      routes: [
        route({
          when: digest_at_min === undefined ? 'at_once' : 'digest',
          ...(escalate_after_ms !== undefined && { escalate_after_ms, escalate_to: ['manager'] }),
        }),
      ],
      group_ms,
      time_zone: 'UTC',
      ...(digest_at_min !== undefined && { digest_at_min }),
      quiet_hours: quiet && { from_min: quiet[0], to_min: quiet[1], except: ['critical'] },
    });
  }

  async #receive(id: string, { kind, alerts }: Outgoing): Promise<Delivery> {
    if (this.#fails) return { result: 'refused', reply: 'not now' };
    const what = alerts.map(({ event, pack_id }) => `${event} ${pack_id ?? 'connection'}`).join(', ');
    this.#see(`${id}${kind === 'digest' ? ' digest' : ''}: ${what}`);
    return { result: 'accepted', reply: 'OK' };
  }

  #see(text: string): void {
    this.seen.push({ at_ms: this.#clock.monoMs(), text });
  }

  /** "p1 raised critical"; the rule where it is not the one of the table. */
  #textOf({ change, severity, pack_id, rule_id, unknown_since_ms }: Alert): string {
    const rule = rule_id === 'high' || rule_id === WEAK_CELL_RULE ? '' : `${rule_id} `;
    const isOfCondition = change === 'raised' || change === 'recurred' || change === 'updated';
    const since_ms = (unknown_since_ms ?? 0) - MIDNIGHT_MS - this.#setup.clock_ms;
    const detail = isOfCondition ? ` ${severity}` : change === 'unknown' ? ` since ${since_ms / 1000} s` : '';
    return `${pack_id === null ? '' : `${pack_id} `}${rule}${change}${detail}`;
  }

  #watched(store: Store): Pick<Store, 'appendAlert' | 'alerts' | 'pastAlerts' | 'documents' | 'flush'> {
    const watch = async <T>(call: Promise<T>): Promise<T> => {
      this.#under_way++;
      return call.finally(() => {
        this.#under_way--;
      });
    };
    const { documents } = store;
    return {
      appendAlert: alert => store.appendAlert(alert),
      alerts: request => watch(store.alerts(request)),
      pastAlerts: () => watch(store.pastAlerts()),
      flush: () => watch(store.flush()),
      documents: {
        get: (kind, id) => watch(documents.get(kind, id)),
        list: kind => watch(documents.list(kind)),
        put: (kind, id, body) => watch(documents.put(kind, id, body)),
        delete: (kind, id) => watch(documents.delete(kind, id)),
      },
    };
  }
}
