/** The first items, as many as stay below both bounds; `bytes` counts them as JSON. Keeps a row small. */
export function firstFitting<Item>(items: Item[], most: number, bytes: number): Item[] {
  const kept: Item[] = [];
  let left = bytes;
  for (const item of items.slice(0, most)) {
    left -= Buffer.byteLength(JSON.stringify(item));
    if (left < 0) break;
    kept.push(item);
  }
  return kept;
}
