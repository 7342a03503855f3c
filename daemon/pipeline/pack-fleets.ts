/** The batteries of a site whose packs can be compared with each other, and what was learnt of them. */
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { FleetDeviation, LEAST_PACKS, type PackApart } from '../../core/siblings/fleet-deviation.ts';
import type { Topology } from '../../core/topology/topology.ts';

interface Fleet {
  readonly battery_id: string;
  /** Dense indices, in the order of the deviation. */
  readonly packs: readonly number[];
  readonly deviation: FleetDeviation;
}

export class PackFleets {
  readonly all: readonly Fleet[];
  /** By pack. */
  readonly #places: readonly ({ readonly fleet: Fleet; readonly place: number } | undefined)[];

  constructor({ batteries, packs }: Topology) {
    this.all = batteries
      .filter(battery => battery.packs.length >= LEAST_PACKS)
      .map(({ id, packs: members }) => ({
        battery_id: id,
        packs: members,
        deviation: new FleetDeviation(members.map(pack => packs[pack].id)),
      }));
    this.#places = packs.map(({ pack }) => {
      const fleet = this.all.find(({ packs: members }) => members.includes(pack));
      return fleet && { fleet, place: fleet.packs.indexOf(pack) };
    });
  }

  /** Readings of one moment, by pack; undefined where there is none. */
  learn(readings: readonly (PackReading | undefined)[], t_ms: number): void {
    for (const { packs, deviation } of this.all) {
      if (!deviation.isDue(t_ms)) continue;
      for (let place = 0; place < packs.length; place++) {
        const reading = readings[packs[place]];
        if (reading) deviation.take(place, reading);
      }
      deviation.finish(t_ms);
    }
  }

  apart(pack: number): readonly PackApart[] | undefined {
    const found = this.#places[pack];
    return found?.fleet.deviation.apart(found.place);
  }
}
