/** Bounded, since the words come from a query and the texts from mail. */
const split = (text: string): string[] =>
  text
    .slice(0, 2000)
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

/** Whether every word of each filter begins a word of one of the texts; no filter matches everything. */
export function matchesWords(filters: string[] | undefined, texts: string[]): boolean {
  if (filters === undefined) return true;
  const words = texts.slice(0, 200).flatMap(split);
  return filters.flatMap(split).every((wanted) => words.some((word) => word.startsWith(wanted)));
}
