/** What a DBC file says: messages and signals, as plain data. Names follow the file; units in field names. */

export interface DbcMux {
  /** Name of the multiplexer signal in the same message. */
  readonly switch: string;
  /** Raw multiplexer values, inclusive ranges, for which the signal is in the frame. */
  readonly ranges: readonly (readonly [number, number])[];
}

export interface DbcSignal {
  name: string;
  /** As in the file: the least significant bit for Intel, the most significant bit for Motorola. */
  readonly start_bit: number;
  readonly length_bit: number;
  readonly byte_order: 'intel' | 'motorola';
  readonly signed: boolean;
  /** IEEE float (SIG_VALTYPE_ 1 and 2) of 16, 32 or 64 bit; raw integer otherwise. */
  float: 'none' | 'float16' | 'float32' | 'float64';
  readonly scale: number;
  readonly offset: number;
  /** As in the file; 0 and 0 means "no range". Never used to clamp. */
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly multiplexer: boolean;
  mux: DbcMux | undefined;
  choices: ReadonlyMap<number, string> | undefined;
  comment: string | undefined;
}

export interface DbcMessage {
  /** 11 or 29 bits, without the flag that marks it extended. */
  readonly id: number;
  readonly extended: boolean;
  name: string;
  readonly length_bytes: number;
  readonly signals: DbcSignal[];
  /** GenMsgCycleTime; undefined where neither set nor given by default. */
  cycle_ms: number | undefined;
  /** VFrameFormat J1939PG: the id stands for its parameter group, whatever priority and source. */
  j1939: boolean;
  comment: string | undefined;
}

export interface DbcWarning {
  readonly line: number;
  readonly text: string;
}

export interface Dbc {
  readonly messages: readonly DbcMessage[];
  readonly warnings: readonly DbcWarning[];
}
