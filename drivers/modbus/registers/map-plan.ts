/** What of each block a pack needs: the spans its fields take, and how much the device gives at once. */

import { sizeOf } from './raw-number.ts';
import type { PlanLimits, Span } from './read-plan.ts';
import type { Field, MapBlock, RegisterMap, ValueField } from './register-map.ts';
import type { RegistersSection } from './registers-section.ts';

const MAX_REGISTERS = 125;
const MAX_COILS = 2000;
const MAX_HOLE = 16;

export function limitsFor(section: RegistersSection, { code }: Pick<MapBlock, 'code'>): PlanLimits {
  const coils = code <= 2;
  return {
    max_count: coils ? (section.max_coils ?? MAX_COILS) : (section.max_registers ?? MAX_REGISTERS),
    // Sixteen coils take no more room on the wire than one register.
    max_hole: (section.max_hole ?? MAX_HOLE) * (coils ? 16 : 1),
  };
}

/** By block of the map, without doubles. A value and the registers it is read with are one span. */
export function fieldSpans(map: RegisterMap): Span[][] {
  const spans = map.blocks.map(() => new Map<string, Span>());
  const want = (field: Field | undefined, ...beside: number[]) => {
    if (!field) return;
    const first = Math.min(field.at, ...beside);
    const end = Math.max(field.at + sizeOf(field.type), ...beside.map(at => at + 1));
    spans[field.block].set(`${first} ${end}`, { first, count: end - first });
  };
  const wantValue = ({ scale_at, direction, ...field }: ValueField) =>
    want(field, ...(scale_at < 0 ? [] : [scale_at]), ...(direction ? [direction.at] : []));
  map.pack.forEach(wantValue);
  for (const row of [...map.cells, ...map.sensors]) {
    row.fields.forEach(wantValue);
    want(row.present_bits);
    want(row.present_count);
    want(row.present_times);
  }
  for (const field of map.alarms) want(field);
  return spans.map(block => [...block.values()]);
}
