/** What a browser or program calls itself, in words a person knows their devices by. */
import { t } from '../texts/texts.ts';

/** Order matters: each names itself after those before it. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const DEVICES: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'Mac'],
  [/\bCrOS\b/, 'Chromebook'],
  [/\bLinux\b/, 'Linux'],
];

/** `Firefox on Android`; of a program its own first word: `curl/8.5.0`. */
export function nameOfAgent(user_agent: string): string {
  const browser = BROWSERS.find(([pattern]) => pattern.test(user_agent))?.[1];
  const device = DEVICES.find(([pattern]) => pattern.test(user_agent))?.[1];
  if (browser) return device ? t().sessions.agentOn(browser, device) : browser;
  return user_agent.split(' ', 1)[0]?.slice(0, 60) || t().sessions.namelessAgent;
}
