/** Takes passwords out of text that is shown to people or written to a log. */

/** `postgres://gateway:secret@host/db?password=x` -> `postgres://gateway:***@host/db?password=***`. */
export function redactSecrets(text: string): string {
  return text
    .replace(/(:\/\/[^/@:\s]*):[^\s]*@/g, '$1:***@')
    .replace(/((?:password|passwd|pwd|secret|token)\s*[=:]\s*)[^&\s,;]+/gi, '$1***');
}
