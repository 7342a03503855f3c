/** Numbers in words: digits in groups, and a noun in the plural form that a language wants for them. */

const THIN_SPACE = '\u202f';

/** As ISO 80000 has it in every language: groups of three by a thin space, from five digits on. */
export function groupDigits(digits: string): string {
  return digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE) : digits;
}

/** A noun in each form that differs; where a language's own form is missing, `other` stands for it. */
export type Forms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

export interface Counting {
  /** `3 cells` */
  count(n: number, forms: Forms): string;
  /** The form alone. */
  form(n: number, forms: Forms): string;
}

export function countingIn(locale: string): Counting {
  const rules = new Intl.PluralRules(locale);
  const form = (n: number, forms: Forms) => forms[rules.select(n)] ?? forms.other;
  return { form, count: (n, forms) => `${groupDigits(String(n))} ${form(n, forms)}` };
}
