/** A room's state made once for all who see the same; its wire forms are made when somebody first needs them. */
import { joinState, partState, type StateParts } from '../../../core/contract/live-binary.ts';
import type { Room } from './rooms.ts';

/** What of a state is no number; clients that have it get the numbers alone. */
export interface Structure {
  /** Unique within the gateway's run. */
  readonly no: number;
  readonly text: string;
}

export interface Moment {
  readonly seq: number;
  readonly t_ms: number;
}

export class Rendered {
  readonly structure: Structure;
  readonly seq: number;
  readonly #t_ms: number;
  readonly #room: Room;
  readonly #data: object;
  readonly #values: Uint8Array;
  #json: Buffer | undefined;
  #whole: Buffer | undefined;
  #lean: Buffer | undefined;

  constructor(room: Room, data: object, { values }: StateParts, structure: Structure, { seq, t_ms }: Moment) {
    this.#room = room;
    this.#data = data;
    this.#values = values;
    this.structure = structure;
    this.seq = seq;
    this.#t_ms = t_ms;
  }

  says({ structure, values }: StateParts): boolean {
    return this.structure.text === structure && Buffer.compare(this.#values, values) === 0;
  }

  json(): Buffer {
    const { name, kind } = this.#room;
    const message = { type: 'state', kind, room: name, seq: this.seq, t_ms: this.#t_ms, data: this.#data };
    this.#json ??= Buffer.from(JSON.stringify(message));
    return this.#json;
  }

  /** `isKnown`: the receiver has the structure already. */
  binary(isKnown: boolean): Buffer {
    if (isKnown) this.#lean ??= this.#frame(new Uint8Array(0));
    else this.#whole ??= this.#frame(Buffer.from(this.structure.text));
    return isKnown ? this.#lean! : this.#whole!;
  }

  #frame(structure: Uint8Array): Buffer {
    const head = { structure_no: this.structure.no, seq: this.seq, t_ms: this.#t_ms };
    return Buffer.from(joinState(head, structure, this.#values).buffer);
  }
}

/** Gives each new structure its number, and each new state of a room its place in the sequence. */
export class Renderer {
  #structures = 0;

  /** `before` itself when nothing changed since. */
  render(room: Room, data: object, t_ms: number, before: Rendered | undefined): Rendered {
    const parts = partState(room.kind, room.name, data);
    if (before?.says(parts)) return before;
    const structure =
      before?.structure.text === parts.structure
        ? before.structure
        : { no: this.#nextStructure(), text: parts.structure };
    return new Rendered(room, data, parts, structure, { seq: (before?.seq ?? 0) + 1, t_ms });
  }

  /** Numbers are 32 bits wide on the wire; no client keeps one through four thousand million newer ones. */
  #nextStructure(): number {
    this.#structures = (this.#structures + 1) % 2 ** 32;
    return this.#structures;
  }
}
