/** Now, and later than before: two changes within one millisecond still differ, since the time is what tells them apart. */
export const laterThan = (before: string, now: number): string =>
  new Date(Math.max(now, Date.parse(before) + 1)).toISOString();
