/** Which pack a frame belongs to, by its id: exact ids first, J1939 parameter groups after them. */
import { GatewayError } from '../../core/errors.ts';
import { canKey, EXACT_MASK, formatCanId } from './can-bus.ts';
import type { PackDecoder } from './pack-decoder.ts';
import type { MappedMessage } from './pack-mapping.ts';

/** What a route leads to. */
interface HasDecoder {
  readonly decoder: PackDecoder;
}

export interface Route<Slot extends HasDecoder> {
  readonly slot: Slot;
  readonly mapped: MappedMessage;
}

export class Routes<Slot extends HasDecoder> {
  /** By mask: routes by masked id. Mostly the exact mask alone. */
  readonly #byMask = new Map<number, Map<number, Route<Slot>>>([[EXACT_MASK, new Map()]]);
  readonly #masked: readonly (readonly [mask: number, routes: ReadonlyMap<number, Route<Slot>>])[];
  readonly #exact: ReadonlyMap<number, Route<Slot>>;

  /** @throws GatewayError CONFIG_INVALID (two packs would share an id) */
  constructor(connection_id: string, slots: readonly Slot[]) {
    for (const slot of slots)
      for (const mapped of slot.decoder.mapping.messages)
        if (!mapped.reply_head) this.#add(connection_id, { slot, mapped });
    this.#exact = this.#byMask.get(EXACT_MASK) ?? new Map();
    // Those that ask for more bits are the narrower ones.
    this.#masked = [...this.#byMask]
      .filter(([mask]) => mask !== EXACT_MASK)
      .sort(([a], [b]) => bits(b) - bits(a));
  }

  find(id: number, extended: boolean): Route<Slot> | undefined {
    const exact = this.#exact.get(canKey(id, extended));
    if (exact || !extended) return exact;
    for (const [mask, routes] of this.#masked) {
      const route = routes.get(canKey(id & mask, true));
      if (route) return route;
    }
    return undefined;
  }

  #add(connection_id: string, route: Route<Slot>): void {
    const { id, extended, mask } = route.mapped;
    const routes = this.#byMask.get(mask) ?? new Map<number, Route<Slot>>();
    this.#byMask.set(mask, routes);
    const key = canKey(id & mask, extended);
    const taken = routes.get(key);
    if (taken) {
      const names = [taken, route].map(({ slot }) => slot.decoder.binding.pack_id).join(' and ');
      throw new GatewayError(
        'CONFIG_INVALID',
        `connection ${connection_id}: packs ${names} both use CAN id ${formatCanId(id, extended)}; give each pack its own address or bus`,
      );
    }
    routes.set(key, route);
  }
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
