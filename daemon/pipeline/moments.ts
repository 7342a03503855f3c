/** What becomes of each reading, and of each moment once all packs of it were read: the order of the whole. */
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import type { LeakingCell } from '../../core/siblings/charge-drift.ts';
import type { PackJudge } from '../../core/siblings/pack-judge.ts';
import type { AlertService } from './alert-service.ts';
import type { PackFleets } from './pack-fleets.ts';
import type { SamplerOptions } from './sampler.ts';

export interface MomentParts {
  readonly packs: readonly { readonly state: PackState; readonly judge: PackJudge }[];
  readonly fleets: Pick<PackFleets, 'learn' | 'apart'>;
  readonly estimates: {
    take(reading: PackReading): void;
    showInLog(reading: PackReading): void;
    show(reading: PackReading): void;
    leaking(pack: number): readonly LeakingCell[] | undefined;
  };
  readonly store: { append(reading: PackReading): void };
  readonly completeness: { received(pack: number, t_ms: number): void };
  readonly alerts: Pick<AlertService, 'judge' | 'finishMoment'>;
  /** The driver's one line of what is wrong with a pack. */
  readonly silentReason: (pack: number) => string | undefined;
  readonly started_mono_ms: number;
  /** Called when all is done. */
  readonly onEnd: (mono_ms: number) => void;
}

export function moments(parts: MomentParts): Pick<SamplerOptions, 'onReading' | 'onMoment'> {
  const { packs, fleets, estimates, store, completeness, alerts, silentReason, started_mono_ms, onEnd } =
    parts;
  /** Of this moment, by pack. */
  const readings: (PackReading | undefined)[] = [];
  return {
    onReading(reading) {
      estimates.take(reading);
      estimates.showInLog(reading);
      store.append(reading);
      completeness.received(reading.pack, reading.t_ms);
      // Rules judge them at every moment.
      estimates.show(reading);
      readings[reading.pack] = reading;
    },
    onMoment(t_ms, mono_ms) {
      fleets.learn(readings, t_ms);
      for (const { state, judge } of packs) {
        const { pack } = state;
        const reading = readings[pack];
        const facts = {
          reading,
          silent_ms: state.silentMs(mono_ms, started_mono_ms),
          silent_reason: silentReason(pack),
          two_devices: judge.twoDevices(),
          weak_cells: judge.deviation.weak,
          leaking: estimates.leaking(pack),
          apart: fleets.apart(pack),
          doubts: () => (reading ? judge.reasons(reading) : []),
        };
        alerts.judge(pack, facts, t_ms, mono_ms);
        readings[pack] = undefined;
      }
      alerts.finishMoment(t_ms, mono_ms);
      onEnd(mono_ms);
    },
  };
}
