/** Files that import each other in a circle, by types too: none of them can be read or moved without the others. */

/** By file, what it imports. Each circle once, as the shortest way from its first file back to itself. */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  for (const file of [...imports.keys()].sort()) {
    const circle = done.has(file) ? undefined : wayBack(file, imports);
    if (!circle) continue;
    circles.push(circle);
    for (const member of circle) done.add(member);
  }
  return circles;
}

function wayBack(start: string, imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const from = new Map<string, string>();
  const waiting = [start];
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
    for (const target of imports.get(file) ?? []) {
      if (target === start) return way(file, from).concat(start);
      if (from.has(target)) continue;
      from.set(target, file);
      waiting.push(target);
    }
  return undefined;
}

function way(to: string, from: ReadonlyMap<string, string>): string[] {
  const before = from.get(to);
  return before === undefined ? [to] : [...way(before, from), to];
}
