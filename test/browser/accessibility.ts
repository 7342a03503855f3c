/** Basic checks of a page as it stands in the browser: names, landmarks, ids, touch targets, contrast. */
import type { Page } from 'playwright-core';

/** What is wrong, one line each. */
export function accessibilityFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    const isShown = (element: Element) => element.checkVisibility({ visibilityProperty: true });
    const describe = (element: Element) =>
      `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''} "${(element.textContent ?? '').trim().slice(0, 30)}"`;

    for (const element of document.querySelectorAll('a, button, input, select, [role=img]')) {
      const labels = [...((element as HTMLInputElement).labels ?? [])].map(label => label.textContent);
      const name = [element.getAttribute('aria-label'), element.textContent, ...labels].join('').trim();
      if (isShown(element) && !name) faults.push(`has no name: ${describe(element)}`);
    }

    if (document.querySelectorAll('main').length !== 1) faults.push('has not exactly one main landmark');
    if (document.querySelectorAll('h1, h2').length === 0) faults.push('has no heading');
    if (!document.documentElement.lang) faults.push('does not say its language');
    const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at)))
      faults.push(`has two of id ${id}`);

    for (const element of document.querySelectorAll(
      'button, .nav-link, .segment, .tab, .field input, .check',
    )) {
      const { height, width } = element.getBoundingClientRect();
      if (isShown(element) && (height < 44 || width < 44))
        faults.push(`is hard to hit: ${describe(element)}`);
    }

    type Colour = readonly [number, number, number, number];
    const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const colourOf = (css: string): Colour => {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = css;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top: Colour, below: Colour): Colour => {
      const blend = (at: 0 | 1 | 2) => top[at] * top[3] + below[at] * (1 - top[3]);
      return [blend(0), blend(1), blend(2), 1];
    };
    const groundOf = (element: Element | null): Colour => {
      if (!element) return colourOf(getComputedStyle(document.body).backgroundColor);
      const own = colourOf(getComputedStyle(element).backgroundColor);
      return own[3] === 1 ? own : over(own, groundOf(element.parentElement));
    };
    const luminance = ([r, g, b]: Colour) => {
      const linear = (channel: number) => {
        const share = channel / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      };
      return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!element || !node.textContent?.trim() || !isShown(element)) continue;
      if (element.closest('.visually-hidden, .skip, noscript, script')) continue;
      const ground = groundOf(element);
      const [a, b] = [luminance(over(colourOf(getComputedStyle(element).color), ground)), luminance(ground)];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) faults.push(`has contrast ${contrast.toFixed(2)}: ${describe(element)}`);
    }
    return [...new Set(faults)];
  });
}
