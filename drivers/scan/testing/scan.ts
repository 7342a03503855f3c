/** For the tests of this room: a healthy battery as any profile can show it, and its traffic. */
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../../../core/reading/pack-reading.ts';
import { createCanEncoder } from '../../can/can-encoder.ts';
import { framesOf } from '../../can/iso-tp/segments.ts';
import { mapPack } from '../../can/pack-mapping.ts';
import { CanTraffic } from '../../can/scan/traffic.ts';
import type { PackBinding } from '../../driver.ts';

const CELL_V = 3.3;

/** Values that bear each other out: 16 cells at most, their sum the pack's voltage. */
export function healthyReading({ shape, pack }: PackBinding): PackReading {
  const reading = new PackReading(pack, shape);
  const cells = shape.cell_count > 0 ? shape.cell_count : 16;
  for (let cell = 0; cell < shape.cell_count; cell++) {
    reading.column(CellMetric.voltage_v)[cell] = CELL_V + 0.002 * (cell % 5);
    reading.column(CellMetric.balancing)[cell] = 0;
  }
  reading.sensors.forEach((_, i, sensors) => {
    sensors[i] = 20 + i;
  });
  const set = (metric: keyof typeof PackMetric, value: number) => {
    reading.values[PackMetric[metric]] = value;
  };
  set('voltage_v', shape.cell_count > 0 ? sumOf(reading) : cells * CELL_V);
  set('current_a', 12.5);
  set('temperature_c', 21);
  set('soc_pct', 62);
  set('soh_pct', 98);
  set('cell_voltage_min_v', CELL_V);
  set('cell_voltage_max_v', CELL_V + 0.008);
  set('cell_temperature_min_c', 20);
  set('cell_temperature_max_c', 23);
  set('charge_voltage_limit_v', cells * 3.55);
  set('discharge_voltage_limit_v', cells * 2.8);
  set('charge_current_limit_a', 100);
  set('discharge_current_limit_a', 100);
  set('capacity_full_ah', 100);
  set('capacity_remaining_ah', 62);
  set('cycle_count', 120);
  set('charge_enabled', 1);
  set('discharge_enabled', 1);
  reading.device_alarm_level.fill(DeviceAlarmLevel.none);
  return reading;
}

function sumOf(reading: PackReading): number {
  return reading.column(CellMetric.voltage_v).reduce((sum, v) => sum + v, 0);
}

/** `rounds` of every frame the device would send, a second apart. */
export function trafficOf(bindings: readonly PackBinding[], rounds = 3): CanTraffic {
  const traffic = new CanTraffic();
  for (const binding of bindings) {
    const encoder = createCanEncoder(binding);
    const reading = healthyReading(binding);
    const { iso_tp } = mapPack(binding);
    const linkOf = (name: string) =>
      iso_tp.find(({ reads }) => reads.some(({ message }) => message === name));
    for (let round = 0; round < rounds; round++)
      for (const message of encoder.messages)
        message.frames(reading, frame => {
          const link = linkOf(message.name);
          if (!link) traffic.add(frame, 1000 * round);
          else
            for (const data of framesOf(frame.data, link.reply_address, 0xaa))
              traffic.add({ id: link.reply_id, extended: link.extended, data, length: 8 }, 1000 * round);
        });
  }
  return traffic;
}
