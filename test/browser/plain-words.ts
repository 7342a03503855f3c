/** Words in plain letters that a page shows, names or reads out, where none but those of the gateway are expected. */
import type { Page } from 'playwright-core';

/** Where the gateway speaks in words of its own (docs/decisions/020-texts.md lists them), or a person did. */
const NOT_OF_THE_PAGE = [
  // Of index.html, which has no language yet.
  'noscript',
  'code, pre',
  // Months are of the locale.
  'time',
  '.alert-message, .alert-check, .card-reason, .page-reason, .page-sub:not(:has(*)), .form-error',
  // Of rules and profiles.
  '.rule-label, .threshold h3, .threshold legend, .threshold-head .quiet, .alarm-list li > span:last-child, .estimate-model',
  // Spelt out from their names in the API.
  '.counters dt',
  '.audit-changes',
  // What a program calls itself.
  '.session-row [title]',
];
/** Names, units and products, which are the same in all languages. */
const NAMES = [
  'BMS Gateway|admin|maria|demo|system|node|(Headless)?Chrome|Linux|English|Esperanto',
  '(battery|rack|fault|jk|fox|sunspec)-[\\d-]+',
  'foxBMS|foxbms-2|JK BMS, CAN protocol V2|jk-can-v2|x{4}',
  'mV|kV|kW|MW|kWh|Ah|kΩ|kB|MB|GB|ms|min',
].join('|');

/** Each with the element where it stands. */
export async function plainWords(page: Page): Promise<string[]> {
  return page.evaluate(
    ([elsewhere, names]) => {
      const found = new Set<string>();
      const known = new RegExp(`(?<![A-Za-z])(${names})(?![A-Za-z])`, 'g');
      const note = (element: Element | null, text: string | null) => {
        const rest = text?.replace(known, '') ?? '';
        if (!/[A-Za-z]{2}/.test(rest) || element?.closest(elsewhere)) return;
        found.add(`${element ? `${element.tagName}.${element.getAttribute('class')}` : 'title'}: ${text}`);
      };
      note(null, document.title);
      for (const element of document.body.querySelectorAll('*')) {
        for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
          note(element, element.getAttribute(name));
        for (const node of element.childNodes)
          if (node.nodeType === Node.TEXT_NODE) note(element, node.textContent);
      }
      return [...found];
    },
    [NOT_OF_THE_PAGE.join(), NAMES],
  );
}
