/** The part of pg-copy-streams in use; the package brings no types. */
declare module 'pg-copy-streams' {
  import type { Writable } from 'node:stream';
  import type { Submittable } from 'pg';

  /** COPY … FROM STDIN as a stream: `finish` when the server has confirmed all rows, `error` when it refused. */
  export function from(sql: string): Writable & Submittable & { readonly rowCount: number };
}
