/** What a `registers` section says that its schema cannot check: names, places, room. */
import { didYouMean, type Finding, listOf, type Path } from '../../../core/schema/problem.ts';
import type { OptionIs } from '../../profiles/option-is.ts';
import type { Profile } from '../../profiles/profile.ts';
import { limitsFor } from './map-plan.ts';
import { sizeOf } from './raw-number.ts';
import { isCoilBlock, packSources, placeInRow } from './register-map.ts';
import type { PackSource, Reference, RegistersSection, Row } from './registers-section.ts';

/** Empty for a section that can be read. */
export function registersFindings(profile: Profile): Finding[] {
  const { registers } = profile;
  return registers ? new SectionCheck(profile, registers).run() : [];
}

class SectionCheck {
  readonly #profile: Profile;
  readonly #section: RegistersSection;
  readonly #findings: Finding[] = [];

  constructor(profile: Profile, section: RegistersSection) {
    this.#profile = profile;
    this.#section = section;
  }

  run(): Finding[] {
    const { pack, cells = {}, sensors = [] } = this.#section;
    this.#blocks();
    for (const [name, sources] of Object.entries(pack)) {
      const listed = Array.isArray(sources);
      packSources(sources).forEach((source, i) => {
        this.#packSource(['registers', 'pack', name, ...(listed ? [i] : [])], source);
      });
    }
    for (const [name, row] of Object.entries(cells)) {
      const path = ['registers', 'cells', name];
      this.#row(path, row);
      if (row.count < this.#profile.cells.max)
        this.#find([...path, 'count'], String(row.count), `at least cells.max ${this.#profile.cells.max}`);
    }
    sensors.forEach((row, i) => {
      this.#row(['registers', 'sensors', i], row);
    });
    this.#sensorRoom();
    this.#alarms();
    return this.#findings;
  }

  #find(path: Path, found: string, expected: string, at_key = false): void {
    this.#findings.push({ path, found, expected, at_key });
  }

  #blocks(): void {
    const { blocks, address_step = 1 } = this.#section;
    for (const [name, { code, first, last }] of Object.entries(blocks)) {
      const path = ['registers', 'blocks', name, 'last'];
      if (last < first) this.#find(path, String(last), `at least first, ${first}`);
      if (code >= 3 && (last - first) % address_step !== 0)
        this.#find(path, String(last), `first ${first} plus a multiple of address_step ${address_step}`);
    }
  }

  #packSource(path: Path, source: PackSource): void {
    this.#conditions(path, source);
    this.#place(path, source, source.scale_at);
    if (source.bit !== undefined && source.bit >= this.#bits(source))
      this.#find([...path, 'bit'], String(source.bit), `a bit from 0 to ${this.#bits(source) - 1}`);
  }

  #row(path: Path, row: Row): void {
    const { present_bits, present_count } = row;
    this.#conditions(path, row);
    const block = this.#section.blocks[row.block];
    if (!block) {
      this.#noBlock(path, row.block);
      return;
    }
    if (isCoilBlock(this.#section, row.block) && row.type !== undefined)
      this.#find([...path, 'type'], row.type, 'no type in a block of coils', true);
    const step = block.code <= 2 ? 1 : (this.#section.address_step ?? 1);
    const type = row.type === 'bits' ? 'u16' : row.type;
    for (const i of [0, row.count - 1]) {
      const { at } = placeInRow(row, step, i);
      this.#place(path, { block: row.block, at, type, order: row.order }, row.scale_at);
    }
    if (row.stride !== undefined && row.stride % step !== 0)
      this.#find([...path, 'stride'], String(row.stride), `a multiple of address_step ${step}`);
    if (present_count) this.#place([...path, 'present_count'], present_count);
    if (!present_bits) return;
    this.#place([...path, 'present_bits'], present_bits);
    const { first_bit = 0 } = present_bits;
    if (first_bit + row.count > this.#bits(present_bits)) {
      const found = `${row.count} bits from bit ${first_bit}`;
      this.#find([...path, 'present_bits'], found, `at most ${this.#bits(present_bits)} bits`);
    }
  }

  #bits({ block, type = 'u16' }: Reference): number {
    if (isCoilBlock(this.#section, block)) return 1;
    return type === 'u8_high' || type === 'u8_low' ? 8 : 16 * sizeOf(type);
  }

  #noBlock(path: Path, block: string): void {
    const names = Object.keys(this.#section.blocks);
    const message = `found unknown block "${block}", expected one of ${listOf(names)}${didYouMean(block, names)}`;
    this.#findings.push({ path: [...path, 'block'], found: block, expected: listOf(names), message });
  }

  /** The number, and its scale register, lie within the block, on whole registers, and fit one request. */
  #place(path: Path, { block: name, at, type }: Reference, scale_at?: number): void {
    const block = this.#section.blocks[name];
    if (!block) {
      this.#noBlock(path, name);
      return;
    }
    const coils = block.code <= 2;
    const step = coils ? 1 : (this.#section.address_step ?? 1);
    const size = coils ? 1 : sizeOf(type ?? 'u16');
    const room = `within block ${name}, ${block.first} to ${block.last}`;
    if (at < block.first || at + (size - 1) * step > block.last)
      this.#find([...path, 'at'], `${at}${size > 1 ? ` and the next` : ''}`, room);
    if ((at - block.first) % step !== 0)
      this.#find([...path, 'at'], String(at), `first ${block.first} plus a multiple of ${step}`);
    if (coils && type !== undefined) this.#find([...path, 'type'], type, 'no type in a block of coils', true);
    if (scale_at === undefined) return;
    const scale = [...path, 'scale_at'];
    if (coils || scale_at < block.first || scale_at > block.last || (scale_at - block.first) % step !== 0)
      this.#find(scale, String(scale_at), `a register ${room}`);
    const span = (Math.max(at + size * step, scale_at + step) - Math.min(at, scale_at)) / step;
    const { max_count } = limitsFor(this.#section, { code: block.code as 1 | 2 | 3 | 4 });
    if (span > max_count)
      this.#find(scale, `${span} registers from value to scale`, `at most ${max_count}, one request`);
  }

  #conditions(path: Path, source: { use_when?: OptionIs; negate_when?: OptionIs }): void {
    const { options = {} } = this.#profile;
    for (const key of ['use_when', 'negate_when'] as const) {
      const condition = source[key];
      if (!condition) continue;
      const option = options[condition.option];
      if (!option) {
        const names = Object.keys(options);
        this.#find([...path, key, 'option'], `"${condition.option}"`, `one of the options: ${listOf(names)}`);
      } else if (!option.values.includes(condition.is)) {
        const values = option.values.map(value => JSON.stringify(value));
        this.#find([...path, key, 'is'], JSON.stringify(condition.is), `one of ${listOf(values)}`);
      }
    }
  }

  #sensorRoom(): void {
    const { sensors = [] } = this.#section;
    const always = sensors.reduce((sum, { count }) => sum + count, 0);
    const most = this.#profile.sensors?.max ?? 0;
    if (always < most)
      this.#find(['sensors', 'max'], String(most), `at most the ${always} of registers.sensors`);
  }

  #alarms(): void {
    const codes = (this.#profile.device_alarms ?? []).map(({ code }) => code);
    this.#section.alarms?.forEach((source, i) => {
      const path = ['registers', 'alarms', i];
      this.#conditions(path, source);
      const coils = isCoilBlock(this.#section, source.block);
      if (!coils) this.#place(path, source);
      for (const [bit, target] of Object.entries(source.bits)) {
        const code = typeof target === 'string' ? target : target.code;
        if (coils) this.#place([...path, 'bits', bit], { ...source, at: source.at + Number(bit) });
        else if (Number(bit) >= this.#bits(source))
          this.#find([...path, 'bits', bit], bit, `a bit from 0 to ${this.#bits(source) - 1}`, true);
        if (!codes.includes(code)) {
          const message = `found "${code}", expected one of device_alarms${didYouMean(code, codes)}`;
          this.#findings.push({
            path: [...path, 'bits', bit],
            found: code,
            expected: 'device_alarms',
            message,
          });
        }
      }
    });
  }
}
