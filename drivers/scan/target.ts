/** What a scan is pointed at, as a person writes it. */
import { allTransports, type ConnectionConfig } from '../transports.ts';

export const TARGET_FORMS = allTransports()
  .map(([, { scanner }]) => scanner.target_forms)
  .join(', ');

/** The connection of the configuration it stands for; undefined where the text is none of TARGET_FORMS. */
export function parseTarget(text: string): ConnectionConfig | undefined {
  for (const [, { scanner }] of allTransports()) {
    const connection = scanner.parseTarget(text);
    if (connection) return connection;
  }
  return undefined;
}
