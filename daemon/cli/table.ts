/** Columns for the command line. */

/** Padded to their widest entry, the last one free. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  return rows.map(row =>
    row
      .map((text, column) => (column === row.length - 1 ? text : text.padEnd(widths[column] + 2)))
      .join('')
      .trimEnd(),
  );
}
