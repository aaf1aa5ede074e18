import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/** JSON as a command takes it: the text itself, `@file`, or `-` for standard input. Answers the text, known to be JSON. */
export async function readJsonInput(given: string, shell: Shell): Promise<string> {
  const text =
    given === '-'
      ? await readAll(shell.stdin)
      : given.startsWith('@')
        ? await readInputFile(given.slice(1), shell)
        : given;
  parseJson(text, 'The data');
  return text;
}

/** Parses an option that takes JSON. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${(error as Error).message}`);
  }
}

/** A file named on the command line, as text. */
export async function readInputFile(path: string, { cwd }: Shell): Promise<string> {
  return (await readInputBytes(path, { cwd })).toString('utf8');
}

export async function readInputBytes(path: string, { cwd }: Pick<Shell, 'cwd'>): Promise<Buffer> {
  try {
    return await readFile(resolve(cwd, path));
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

async function readAll(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** An option that takes a whole number. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${text} is not a whole number`);
  return Number(text);
}

/** An option that takes a size, which may have more digits than a count. */
export function byteCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${text} is not a number of bytes`);
  return Number(text);
}

/** Collects an option given several times. */
export const several = (value: string, before: string[] = []): string[] => [...before, value];

/** The members that have a value. */
export function given<Members extends object>(
  members: Members,
): { [Key in keyof Members]?: Exclude<Members[Key], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Members]?: Exclude<Members[Key], undefined>;
  };
}
