import { randomInt } from 'node:crypto';
import { adjectives, animals } from 'unique-names-generator';

const pick = (words: readonly string[]): string =>
  words[randomInt(words.length)]!.toLowerCase().replace(/[^a-z]/g, '');

/** A username that reads well aloud and is hardly ever taken: 1,400 × 350 words × 9,000 numbers. */
export const randomUsername = (): string => `${pick(adjectives)}-${pick(animals)}-${randomInt(1000, 10_000)}`;
