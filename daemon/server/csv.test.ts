/** CSV as spreadsheets and parsers take it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvLine } from './csv.ts';

/** RFC 4180, section 2, read strictly. */
function parse(line: string): string[] {
  const fields = [...`,${line.slice(0, -2)}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)];
  return fields.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

test('any text comes back, but for the apostrophe that disarms formulas', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 6 }), values => {
      const line = csvLine(values);
      expect(line.endsWith('\r\n')).toBe(true);
      expect(parse(line)).toEqual(values.map(one => (/^[=+\-@\t\r\n＝＋－＠]/.test(one) ? `'${one}` : one)));
    }),
  );
});

test('numbers stand as they are, null is empty, formulas are disarmed', () => {
  expect(csvLine([-1.5, null, 3.2871, '=1+1', 'a "b", c'])).toBe(`-1.5,,3.2871,'=1+1,"a ""b"", c"\r\n`);
  for (const text of ['＝1+1', '＋1', '－1', '＠A1', '\n=1+1', '\r=1+1'])
    expect(parse(csvLine([text, null]))).toEqual([`'${text}`, '']);
});
