/** Test bench of the register maps: shipped profiles, and rounds of reads against registers in memory. */
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { PackState } from '../../../core/reading/pack-state.ts';
import type { PackBinding } from '../../driver.ts';
import { bundledProfiles, everyProfile } from '../../profiles/every-profile.ts';
import type { Profile } from '../../profiles/profile.ts';
import { shapeOf } from '../../profiles/shape.ts';
import { registerMap } from '../registers/register-map.ts';
import { RegistersReader } from '../registers/registers-reader.ts';
import { judgeReply, type ReadRequest } from '../reply.ts';
import type { ReadUnit } from '../unit-reader.ts';

const readsRegisters = ({ registers }: Profile) => registers !== undefined;

export const registerProfiles: readonly Profile[] = everyProfile.filter(readsRegisters);

/** Without the blueprint, which shares its default unit with others. */
export const shippedRegisterProfiles: readonly Profile[] = bundledProfiles.filter(readsRegisters);

export function shipped(id: string): Profile {
  const found = registerProfiles.find(profile => profile.id === id);
  if (!found) throw new Error(`no register profile ${id}`);
  return found;
}

export function bindingFor(
  profile: Profile,
  choice: {
    cells?: number;
    sensors?: number;
    options?: PackBinding['options'];
    sensor_of_cell?: number[];
  } = {},
): PackBinding {
  const defaults = Object.entries(profile.options ?? {}).map(([name, option]) => [name, option.default]);
  return {
    pack: 0,
    pack_id: 'pack',
    profile,
    address: profile.address?.default,
    shape: shapeOf(profile, choice.cells ?? Math.min(16, profile.cells.max), choice.sensors),
    options: { ...Object.fromEntries(defaults), ...choice.options },
    sensor_of_cell: choice.sensor_of_cell,
  };
}

export interface RoundBench {
  readonly reader: RegistersReader;
  readonly requests: ReadRequest[];
  readonly complaints: (string | undefined)[];
  /** Reads and commits a round; false where the unit refused everything. */
  round(): Promise<boolean>;
  snapshot(): PackReading;
}

export interface RoundTerms {
  readonly at_once: number;
  /** Resolves when the reply to a request comes; 'timeout': never. */
  readonly onRequest: () => Promise<'timeout' | undefined>;
}

/** `answer`: a request PDU to a reply PDU, as a RegisterImage gives. */
export function roundBench(
  binding: PackBinding,
  answer: (pdu: Uint8Array) => Uint8Array,
  { at_once, onRequest }: RoundTerms = { at_once: 1, onRequest: async () => undefined },
): RoundBench {
  const requests: ReadRequest[] = [];
  const read: ReadUnit = async (code, address, count, into) => {
    const request: ReadRequest = { unit: 1, code, address, count };
    requests.push(request);
    if ((await onRequest()) === 'timeout') return { kind: 'timeout', message: 'no reply' };
    const pdu = answer(Uint8Array.of(code, address >> 8, address & 0xff, count >> 8, count & 0xff));
    const refused = pdu[0] !== code;
    const verdict = refused
      ? judgeReply(request, { message: '', modbusCode: pdu[1] }, undefined, into)
      : judgeReply(request, null, { buffer: pdu.subarray(2) }, into);
    return verdict && { kind: verdict.kind, message: verdict.text, exception: verdict.exception };
  };
  const state = new PackState(binding.pack, binding.shape, 3000);
  const complaints: (string | undefined)[] = [];
  const reader = new RegistersReader({
    state,
    map: registerMap(binding),
    sensor_of_cell: binding.sensor_of_cell,
    interval_ms: 1000,
    counters: { reads_split: 0, cells_ignored: 0 },
    read,
    atOnce: () => at_once,
  });
  return {
    reader,
    requests,
    complaints,
    async round() {
      if (await reader.read()) {
        reader.abandon();
        return false;
      }
      reader.commit(0, (_, complaint) => complaints.push(complaint));
      return true;
    },
    snapshot() {
      const reading = new PackReading(binding.pack, binding.shape);
      state.snapshotInto(reading, 0, 0);
      return reading;
    },
  };
}
