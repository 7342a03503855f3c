/** Values as they may be kept and shown: without secrets, of bounded size, and as every database can hold them. */

const SECRET_NAME = /password|passwd|secret|token|jwt|credential|database_url|^code$/i;
/** Whoever knows the whole address of a webhook can write to it. */
const ADDRESS_NAME = /^url$/i;
const HIDDEN = '(hidden)';
const TEXT_MAX = 400;
const ENTRIES_MAX = 100;
const DEPTH_MAX = 6;

/** A copy; secrets by the name of their property are hidden, long texts and lists are cut, with a word about it. */
export function presentable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object') return value === undefined ? undefined : String(value);
  if (depth >= DEPTH_MAX) return '(deeper)';
  if (Array.isArray(value)) {
    const kept = value.slice(0, ENTRIES_MAX).map(item => presentable(item, depth + 1) ?? null);
    return value.length > ENTRIES_MAX ? [...kept, `(${value.length - ENTRIES_MAX} more)`] : kept;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const kept = entries.slice(0, ENTRIES_MAX).map(([name, item]) => {
    // What only says that there is a secret, or must be a new one, is none.
    const is_secret = SECRET_NAME.test(name) && typeof item !== 'boolean' && item !== null;
    const shown = ADDRESS_NAME.test(name) && typeof item === 'string' ? hostOf(item) : item;
    return [cleanText(name), is_secret ? HIDDEN : presentable(shown, depth + 1)];
  });
  if (entries.length > ENTRIES_MAX) kept.push(['…', `(${entries.length - ENTRIES_MAX} more)`]);
  return Object.fromEntries(kept);
}

/** "https://chat.example/(hidden)"; the same again of what it gave. */
function hostOf(address: string): string {
  const url = URL.parse(address);
  if (!url?.host) return HIDDEN;
  const { origin, pathname, search, hash } = url;
  return `${origin}/${pathname === '/' && !search && !hash ? '' : HIDDEN}`;
}

/** PostgreSQL's jsonb knows neither the zero character nor half of a surrogate pair. */
function cleanText(text: string): string {
  const cut = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
  return cut.toWellFormed().replaceAll('\0', '\ufffd');
}
