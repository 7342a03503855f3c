/** What a round of a Modbus line takes, by its bits, its pauses and typical times to answer: known before anything is asked. */

import type { PackBinding } from '../driver.ts';
import type { ModbusConnection } from './connections.ts';
import { maxInFlight } from './modbus-driver.ts';
import { CHARACTER_BITS, DEFAULT_BAUD_RATE, wireOf } from './open-wire.ts';
import { fieldSpans, limitsFor } from './registers/map-plan.ts';
import { planReads } from './registers/read-plan.ts';
import { registerMap } from './registers/register-map.ts';
import { dataBytes, type ReadRequest } from './reply.ts';
import { splitModel } from './sunspec/model-block.ts';
import { MODEL_HEADER, MODELS } from './sunspec/models.ts';
import { MODULE_MODEL, packMap } from './sunspec/pack-map.ts';
import { unitOf } from './units-of-connection.ts';
import { VirtualModbusHub } from './virtual-link.ts';

/** Unit, function, address, count and check sum. */
const REQUEST_BYTES = 8;
/** Unit, function, byte count and check sum around the data. */
const REPLY_BYTES = 5;

/** Of a device whose profile says nothing else: a microcontroller that checks its line now and then. */
const TYPICAL_ANSWER_MS = 10;

export interface LeastRound {
  readonly round_ms: number;
  /** Of it, the time to answer that is reckoned with, on average over the requests. */
  readonly answer_ms: number;
  readonly units: number;
  /** Requests in a round, on average. */
  readonly requests: number;
}

type Read = Pick<ReadRequest, 'code' | 'count'> & { readonly share: number };

export function leastRound(connection: ModbusConnection, bindings: readonly PackBinding[]): LeastRound {
  const { silence_ms } = wireOf(connection, new VirtualModbusHub());
  const byte_ms =
    connection.type === 'modbus-rtu'
      ? (CHARACTER_BITS * 1000) / (connection.baud_rate ?? DEFAULT_BAUD_RATE)
      : 0;
  // Several in flight are waited for together.
  const at_once = maxInFlight(connection, bindings);
  const typical_ms = connection.type === 'virtual-modbus' ? 0 : TYPICAL_ANSWER_MS;
  let round_ms = 0;
  let requests = 0;
  let answers_ms = 0;
  for (const binding of bindings) {
    const { gap_ms: needed_ms = 0, answer_ms = typical_ms } = binding.profile.registers ?? {};
    const gap_ms = Math.max(connection.gap_ms ?? 0, silence_ms, needed_ms);
    for (const { code, count, share } of readsOf(binding)) {
      const bytes = REQUEST_BYTES + REPLY_BYTES + dataBytes({ unit: 0, address: 0, code, count });
      // The device keeps the line's silence before it answers.
      const wait_ms = byte_ms > 0 ? Math.max(silence_ms, answer_ms) : answer_ms / at_once;
      round_ms += share * (bytes * byte_ms + gap_ms + wait_ms);
      answers_ms += share * answer_ms;
      requests += share;
    }
  }
  return { round_ms, requests, answer_ms: answers_ms / requests, units: new Set(bindings.map(unitOf)).size };
}

function readsOf(binding: PackBinding): Read[] {
  if (!binding.profile.registers) return sunspecReads(binding);
  const map = registerMap(binding);
  const spans = fieldSpans(map);
  return map.blocks.flatMap((block, i) =>
    planReads(spans[i], limitsFor(map.section, block)).map(({ count }) => ({
      code: block.code,
      count,
      share: 1 / block.every,
    })),
  );
}

/** As if the unit had each model once, and the cells of the pack in one. */
function sunspecReads(binding: PackBinding): Read[] {
  const { max_registers, pack, alarm_point } = packMap(binding);
  const ids = new Set([...pack, ...(alarm_point ? [alarm_point] : [])].map(({ model }) => model));
  if (binding.shape.cell_count > 0) ids.add(MODULE_MODEL);
  return [...ids].flatMap(id => {
    const model = MODELS.get(id)!;
    const cells = id === MODULE_MODEL ? binding.shape.cell_count * (model.repeated?.size ?? 0) : 0;
    return splitModel(model, Math.max(MODEL_HEADER, model.fixed.size + cells), max_registers).map(
      ({ count }): Read => ({ code: 3, count, share: 1 }),
    );
  });
}
