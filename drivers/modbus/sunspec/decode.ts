/** Every point of a SunSpec model by name: for looking at a device, and as the plain truth in tests. */
import { type Model, repeatCount } from './models.ts';
import { type PointGroup, readNumber, readText, scaled } from './points.ts';

/** null: the device does not implement the point. */
export type PointValue = number | string | null;
export interface DecodedModel {
  [point: string]: PointValue | Record<string, PointValue>[];
}

/** `registers` begins at the model's ID register; what lies beyond its end is left out. */
export function decodeModel(model: Model, registers: Uint16Array): DecodedModel {
  const fixed = decodeGroup(model.fixed, registers, 0, model.fixed);
  if (!model.repeated) return fixed;
  const repeats: Record<string, PointValue>[] = [];
  for (let i = 0; i < repeatCount(model, registers[1]); i++) {
    const offset = model.fixed.size + i * model.repeated.size;
    if (offset + model.repeated.size > registers.length) break;
    repeats.push(decodeGroup(model.repeated, registers, offset, model.fixed));
  }
  return { ...fixed, [model.repeated.name]: repeats };
}

function decodeGroup(
  group: PointGroup,
  registers: Uint16Array,
  base: number,
  scaleGroup: PointGroup,
): Record<string, PointValue> {
  const values: Record<string, PointValue> = {};
  for (const point of group.points.values()) {
    const index = base + point.offset;
    if (index + point.size > registers.length) break;
    if (point.type === 'string') {
      values[point.name] = readText(registers, index, point.size) ?? null;
      continue;
    }
    let value = readNumber(registers, index, point.type);
    const scale = point.scale && scaleGroup.points.get(point.scale);
    if (scale) value = scaled(value, readNumber(registers, scale.offset, 'sf'));
    values[point.name] = Number.isNaN(value) ? null : value;
  }
  return values;
}
