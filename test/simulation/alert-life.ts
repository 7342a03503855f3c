/**
 * Alerts and notifications in the life of a gateway: the real alert service and notifier over the virtual disk, the wire to
 * the receivers and the clock; conditions that come and go, and people who handle alerts. All of it is drawn from a stream
 * of its own.
 */
import { type Alert, storedAlert } from '../../core/alerts/alert.ts';
import { PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import type { StoredNotification } from '../../daemon/notify/stored-notification.ts';
import type { AlertService } from '../../daemon/pipeline/alert-service.ts';
import { type AlertMistake, isLeftOut } from './alert-mistakes.ts';
import {
  ConditionModel,
  checkChanges,
  type KeptDelays,
  LEVELS,
  type Level,
  RULES,
  VALUES,
} from './alert-model.ts';
import { alertsOf } from './alert-records.ts';
import { type AlertHost, AlertRun } from './alert-run.ts';
import type { Draw } from './draw.ts';
import { ESCALATE_AFTER_MS, NotifyModel } from './notify-model.ts';
import { RECEIVER_FAULTS, RECEIVERS } from './receivers.ts';

const MOMENT_MS = 5000;
const HOUR_MS = 3_600_000;
/** Of the end: after so many minutes without a message nothing more is due. */
const QUIET_ROUNDS = 3;
const MAX_ROUNDS = 40;

const HAPPENINGS = {
  nothing: 6,
  condition: 16,
  silence: 3,
  speak: 5,
  time_passes: 9,
  acknowledge: 4,
  shelve: 1,
  unshelve: 1,
  note: 1,
  receiver_fault: 4,
  receiver_down: 1,
  receiver_back: 2,
};

interface Pack {
  readonly id: string;
  readonly reading: PackReading;
  readonly levels: Record<string, Level>;
  silent_since_ms: number | undefined;
  is_seen: boolean;
}

export class AlertLife {
  readonly #host: AlertHost;
  readonly #draw: Draw;
  readonly #mistake: AlertMistake | undefined;
  readonly #conditions = new ConditionModel();
  readonly #notified = new NotifyModel();
  readonly #packs: Pack[];
  #run: AlertRun | undefined;
  #runs = 0;
  #notifications = 0;
  #onChange: () => void = () => {};

  constructor(host: AlertHost, draw: Draw, mistake?: AlertMistake) {
    this.#host = host;
    this.#draw = draw;
    this.#mistake = mistake;
    const levels = Object.fromEntries(RULES.map(({ id }) => [id, 'inside' as Level]));
    this.#packs = host.topology.packs.map(({ id, pack, shape }) => ({
      id,
      reading: new PackReading(pack, shape),
      levels: { ...levels },
      silent_since_ms: undefined,
      is_seen: false,
    }));
    const { receivers } = host;
    // What is on its way from a life that was given up is nobody's.
    receivers.onTaken = copy => {
      if (copy.notification_id.startsWith(`${host.topology.gateway_id}-`))
        this.#guard(() => this.#notified.taken(copy));
    };
    receivers.onAccepted = (_, id) => this.#notified.accepted(id);
    receivers.onStall = () => this.#onChange();
  }

  /** With what the disk has kept; its log was held against the model before. */
  async start(): Promise<void> {
    const { clock, gateway } = this.#host;
    const [wall_ms, mono_ms] = [clock.wallMs(), clock.monoMs()];
    const newest = this.checkRecords();
    const open = [...newest.values()].filter(({ is_open }) => is_open);
    const kept = gateway.reader.get('alerts', 'pending')?.body as KeptDelays | undefined;
    this.#conditions.restart(open, kept, wall_ms, mono_ms);
    const stored = gateway.reader.list('notification').map(({ body }) => body as StoredNotification);
    this.#notified.restart(stored, newest, mono_ms);
    for (const pack of this.#packs) pack.is_seen = false;
    const run = this.#makeRun();
    this.#run = run;
    await run.service.restore(wall_ms, mono_ms);
    sameAlerts('after the start', run.service.open(), open);
    await run.notifier.start();
    this.#armMoment(run);
  }

  #makeRun(): AlertRun {
    const run: AlertRun = new AlertRun({
      host: this.#host,
      mistake: this.#mistake,
      number: ++this.#runs,
      newId: () => `${this.#host.topology.gateway_id}-n${++this.#notifications}`,
      put: (kind, id, body) => this.#put(run, kind, id, body),
      onSendingOver: () => this.#onChange(),
    });
    return run;
  }

  #put(run: AlertRun, kind: string, id: string, body: unknown): void {
    const { clock } = this.#host;
    const stored = kind === 'notification' ? (body as StoredNotification) : undefined;
    if (stored) this.#guard(() => this.#notified.saving(stored, run.service.open()));
    if (kind === 'alerts') this.#guard(() => this.#conditions.checkKept(body as KeptDelays, clock.monoMs()));
    if (!isLeftOut(this.#mistake, stored)) this.#host.putDocument(kind, id, JSON.stringify(body));
    if (stored) this.#notified.saved(stored);
  }

  #armMoment(run: AlertRun): void {
    run.timer = this.#host.clock.setTimer(() => {
      this.#armMoment(run);
      this.#guard(() => this.#moment(run));
    }, MOMENT_MS);
  }

  #moment(run: AlertRun): void {
    const { clock } = this.#host;
    const [t_ms, mono_ms] = [clock.wallMs(), clock.monoMs()];
    const silence = this.#packs.map((pack, index) => {
      const { id, silent_since_ms } = pack;
      const silent_ms = silent_since_ms === undefined ? 0 : mono_ms - Math.max(silent_since_ms, run.begun_ms);
      const isSpeaking = silent_since_ms === undefined;
      pack.is_seen ||= isSpeaking;
      this.#conditions.judge(id, isSpeaking ? pack : undefined, silent_ms, mono_ms);
      const reading = isSpeaking ? fill(pack, t_ms, mono_ms) : undefined;
      run.service.judge(index, { reading, silent_ms }, t_ms, mono_ms);
      return { pack_id: id, silent_ms, is_seen: pack.is_seen };
    });
    run.service.finishMoment(t_ms, mono_ms);
    this.#conditions.check(run.service.open(), silence);
  }

  /** Something, or nothing; people and receivers included. */
  async happen(): Promise<void> {
    const draw = this.#draw;
    const { receivers } = this.#host;
    const happening = draw.weighed(HAPPENINGS);
    if (happening === 'nothing' || !this.#run) return;
    this.#host.trace(`  ${happening}`);
    const pack = draw.pick(this.#packs);
    switch (happening) {
      case 'condition':
        pack.levels[draw.pick(RULES).id] = draw.pick(LEVELS);
        return;
      case 'silence':
        for (const one of draw.chance(0.5) ? this.#packs : [pack])
          one.silent_since_ms ??= this.#host.clock.monoMs();
        return;
      case 'speak':
        for (const one of draw.chance(0.5) ? this.#packs : [pack]) one.silent_since_ms = undefined;
        return;
      case 'time_passes':
        return this.#host.passTime(draw.pick([MOMENT_MS, 13_000, 13_000, 30_000]));
      case 'receiver_fault':
        return receivers.arm(draw.pick(RECEIVERS), draw.pick(RECEIVER_FAULTS));
      case 'receiver_down':
        receivers.is_down.add(draw.pick(RECEIVERS));
        return;
      case 'receiver_back':
        receivers.is_down.clear();
        return receivers.release(draw.chance(0.5));
      default:
        return this.#handle(happening, this.#run.service);
    }
  }

  /** What people do; each of it is on the disk with the next commit. */
  #handle(what: 'acknowledge' | 'shelve' | 'unshelve' | 'note', service: AlertService): void {
    const draw = this.#draw;
    const open = service.open();
    if (open.length === 0) return;
    const { id } = draw.pick(open);
    const act = { by: draw.pick(['ada', 'bob']), at_ms: this.#host.clock.wallMs() };
    if (what === 'acknowledge') service.acknowledge(id, act, draw.chance(0.5) ? 'seen' : null);
    else if (what === 'note') service.note(id, act, `note ${draw.whole(1, 999)}`);
    else if (what === 'unshelve') service.unshelve(id, act);
    else service.shelve(id, act, { duration_ms: draw.pick([20_000, HOUR_MS]), reason: 'maintenance' });
  }

  /** Until all that is on its way has ended, or stalls. */
  async settled(): Promise<void> {
    const run = this.#run;
    const { receivers, clock } = this.#host;
    if (!run) return;
    const isBusy = () => run.sending > receivers.stalled;
    const mono_ms = clock.monoMs();
    if (run.sending > 0) for (const name of RECEIVERS) this.#notified.heldUp(name, mono_ms);
    while (isBusy())
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('a notification stands still')), 30_000);
        this.#onChange = () => {
          if (isBusy()) return;
          clearTimeout(timer);
          resolve();
        };
      });
  }

  get isSending(): boolean {
    return this.#run !== undefined && this.#run.sending > this.#host.receivers.stalled;
  }

  /** Between two steps. */
  check(): void {
    const run = this.#run;
    if (!run) return;
    const mono_ms = this.#host.clock.monoMs();
    for (const { id } of run.notifier.failing()) this.#notified.heldUp(id, mono_ms);
    if (run.sending > 0) for (const name of RECEIVERS) this.#notified.heldUp(name, mono_ms);
    this.#notified.check(run.service.open(), mono_ms);
  }

  /** The faults are over: everything that is due goes, and nothing else. */
  async end(settle: () => Promise<void>, isStored: () => boolean): Promise<void> {
    const run = this.#run;
    if (!run) return;
    this.#host.receivers.reset();
    for (let quiet = 0, tries = 0; quiet < QUIET_ROUNDS && tries < MAX_ROUNDS; tries++, quiet++) {
      await this.#host.passTime(ESCALATE_AFTER_MS);
      if (run.sending > 0 || run.notifier.failing().length > 0) quiet = 0;
      await settle();
    }
    await settle();
    this.#notified.checkEnd(run.service.open());
    this.#host.flush();
    if (!isStored()) throw new Error('alerts could not be stored');
    const newest = this.checkRecords();
    const open = [...newest.values()].filter(({ is_open }) => is_open);
    sameAlerts('in the log', open, run.service.open());
    const stored = this.#host.gateway.reader.alerts({ state: 'open', limit: 1000 }).map(storedAlert);
    sameAlerts('in the table', stored, open);
  }

  /** The newest of each alert, by what was acknowledged. */
  checkRecords(): Map<string, Alert> {
    return checkChanges(alertsOf(this.#host.model));
  }

  async stop(): Promise<void> {
    await this.#run?.stop();
    this.#run = undefined;
  }

  /** From one moment to the next. */
  kill(): void {
    this.#run?.kill();
    this.#run = undefined;
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#host.fail(error);
    }
  }
}

function fill({ reading, levels }: Pack, t_ms: number, mono_ms: number): PackReading {
  reading.t_ms = t_ms;
  reading.mono_ms = mono_ms;
  for (const { id, on } of RULES) {
    const metric = PackMetric[on.metric as 'soc_pct' | 'temperature_c'];
    reading.values[metric] = VALUES[id][levels[id]];
    reading.value_quality[metric] = Quality.good;
  }
  return reading;
}

function sameAlerts(what: string, found: readonly Alert[], expected: readonly Alert[]): void {
  const texts = (alerts: readonly Alert[]) =>
    alerts.map(alert => JSON.stringify(Object.entries(alert).sort())).sort();
  const [here, there] = [texts(found), texts(expected)];
  const at = there.findIndex((text, i) => text !== here[i]);
  if (at >= 0 || here.length !== there.length)
    throw new Error(
      `open alerts ${what}: ${here.length} found, ${there.length} expected; ${here[at]} for ${there[at]}`,
    );
}
