/** What a `registers` section says that its schema cannot check: names, places, room. */
import { didYouMean, type Finding, listOf, type Path } from '../../../core/schema/problem.ts';
import type { OptionIs } from '../../profiles/option-is.ts';
import type { Profile } from '../../profiles/profile.ts';
import { limitsFor } from './map-plan.ts';
import { sizeOf } from './raw-number.ts';
import { isCoilBlock, packSources, placeInRow, rowsOf } from './register-map.ts';
import type { AlarmSource, PackSource, Reference, RegistersSection, Row } from './registers-section.ts';

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
    for (const [name, rows] of Object.entries(cells)) {
      const path = ['registers', 'cells', name];
      const listed = Array.isArray(rows);
      rowsOf(rows).forEach((row, i) => {
        this.#row(listed ? [...path, i] : path, row);
      });
      const room = rowsOf(rows).reduce((sum, { count }) => sum + count, 0);
      if (room < this.#profile.cells.max)
        this.#find(
          listed ? path : [...path, 'count'],
          String(room),
          `at least cells.max ${this.#profile.cells.max}`,
        );
    }
    this.#derived();
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
    for (const [name, block] of Object.entries(blocks)) {
      const { code, first, last } = block;
      this.#blockTerms(['registers', 'blocks', name], block);
      const path = ['registers', 'blocks', name, 'last'];
      if (last < first) this.#find(path, String(last), `at least first, ${first}`);
      if (code >= 3 && (last - first) % address_step !== 0)
        this.#find(path, String(last), `first ${first} plus a multiple of address_step ${address_step}`);
    }
  }

  #blockTerms(path: Path, block: RegistersSection['blocks'][string]): void {
    const { code, first, last, whole, plus, no_reading_when } = block;
    const step = code <= 2 ? 1 : (this.#section.address_step ?? 1);
    const { max_count } = limitsFor(this.#section, { code: code as 1 | 2 | 3 | 4 });
    const count = (last - first) / step + 1;
    if (whole && count > max_count)
      this.#find([...path, 'whole'], `${count} registers`, `at most ${max_count}, one request`);
    if (no_reading_when) {
      const { at } = no_reading_when;
      if (at < first || at > last || (at - first) % step !== 0)
        this.#find([...path, 'no_reading_when', 'at'], String(at), `a register from ${first} to ${last}`);
    }
    if (!plus) return;
    const { options = {} } = this.#profile;
    const option = options[plus.option];
    const end = last + ((option?.values.length ?? 1) - 1) * plus.each;
    if (!option) {
      const expected = `one of the options: ${listOf(Object.keys(options))}`;
      this.#find([...path, 'plus', 'option'], `"${plus.option}"`, expected);
    } else if (end > 65_535)
      this.#find([...path, 'plus', 'each'], `${end} as the last address`, 'at most 65535');
  }

  #derived(): void {
    const { pack, derived = {} } = this.#section;
    for (const [name, { ratio }] of Object.entries(derived)) {
      const path = ['registers', 'derived', name];
      ratio.forEach((of, i) => {
        if (!(of in pack))
          this.#find([...path, 'ratio', i], `"${of}"`, `one of: ${listOf(Object.keys(pack))}`);
      });
    }
  }

  #packSource(path: Path, source: PackSource): void {
    this.#conditions(path, source);
    this.#place(path, source, source.scale_at);
    if (source.bit !== undefined && source.bit >= this.#bits(source))
      this.#find([...path, 'bit'], String(source.bit), `a bit from 0 to ${this.#bits(source) - 1}`);
    const { bits, invert, negative_when } = source;
    if (bits && bits[0] + bits[1] > this.#bits(source))
      this.#find(
        [...path, 'bits'],
        `bits ${bits[0]} to ${bits[0] + bits[1] - 1}`,
        `bits up to ${this.#bits(source) - 1}`,
      );
    if (bits && source.bit !== undefined) this.#find([...path, 'bits'], 'bit and bits', 'one of them', true);
    const is_bit = source.bit !== undefined || isCoilBlock(this.#section, source.block);
    if (invert && !is_bit) this.#find([...path, 'invert'], 'a number', 'invert with a bit', true);
    if (negative_when)
      this.#place([...path, 'negative_when'], { ...source, type: 'u16', at: negative_when.at }, source.at);
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
    for (const i of [0, row.count - 1]) {
      const { at, type } = placeInRow(row, step, i);
      this.#place(path, { block: row.block, at, type, order: row.order }, row.scale_at);
    }
    if (row.stride !== undefined && row.stride % step !== 0)
      this.#find([...path, 'stride'], String(row.stride), `a multiple of address_step ${step}`);
    if (row.groups && row.groups.stride % step !== 0)
      this.#find(
        [...path, 'groups', 'stride'],
        String(row.groups.stride),
        `a multiple of address_step ${step}`,
      );
    if (present_count) this.#place([...path, 'present_count'], present_count);
    if (present_count?.times) this.#place([...path, 'present_count', 'times'], present_count.times);
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
    return /^[us]8_/.test(type) ? 8 : 16 * sizeOf(type);
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
      this.#alarmNumbers(path, source, codes);
      for (const [bit, target] of Object.entries(source.bits ?? {})) {
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

  #alarmNumbers(path: Path, source: AlarmSource, codes: readonly string[]): void {
    const { bits, code, levels, block, at, type } = source;
    const by_number = code !== undefined || levels !== undefined;
    if ((bits !== undefined) === by_number || (by_number && (code === undefined || levels === undefined))) {
      this.#find(path, bits ? 'bits with code or levels' : 'neither', '`bits`, or `code` with `levels`');
      return;
    }
    if (code === undefined) return;
    if (!codes.includes(code))
      this.#find([...path, 'code'], `"${code}"`, `one of device_alarms${didYouMean(code, codes)}`);
    if (source.rest !== undefined && String(source.rest) in (levels ?? {}))
      this.#find([...path, 'rest'], String(source.rest), 'a number that is no level');
    const same = (this.#section.alarms ?? []).filter(
      other => other.levels && other.block === block && other.at === at && other.type === type,
    );
    if (same.length > 1 && same.every(({ use_when }) => !use_when))
      this.#find(
        [...path, 'at'],
        `${same.length} alarms by the number at ${at}`,
        'one alarm for each number',
      );
  }
}
