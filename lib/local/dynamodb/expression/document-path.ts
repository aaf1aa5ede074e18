import type { AttributeValue, Item } from '../value/attribute-value.ts';
import { attribute } from '../value/attribute-value.ts';
import type { Placeholders } from './placeholders.ts';
import { isReserved } from './reserved-words.ts';
import type { TokenReader } from './token-reader.ts';

/** An attribute, or a place inside it: names of map members and positions in lists. */
export type DocumentPath = [string, ...(string | number)[]];

/** Reads a path such as `a.#b[3].c`. */
export function readPath(reader: TokenReader, placeholders: Placeholders): DocumentPath {
  const path: DocumentPath = [readName(reader, placeholders)];
  for (;;) {
    if (reader.accept('.')) path.push(readName(reader, placeholders));
    else if (reader.accept('[')) {
      if (reader.peek().kind !== 'number') throw reader.syntaxError();
      path.push(Number(reader.next().text));
      reader.expect(']');
    } else return path;
  }
}

function readName(reader: TokenReader, placeholders: Placeholders): string {
  const { kind, text } = reader.peek();
  if (kind === '#name') {
    reader.next();
    const name = placeholders.name(text);
    if (name !== undefined) return name;
    throw reader.error(
      `An expression attribute name used in the document path is not defined; attribute name: ${text}`,
    );
  }
  if (kind !== 'name') throw reader.syntaxError();
  if (isReserved(text)) {
    throw reader.error(`Attribute name is a reserved keyword; reserved keyword: ${text}`);
  }
  reader.next();
  return text;
}

/** The value at a path, or undefined. */
export function valueAt(item: Item, path: DocumentPath): AttributeValue | undefined {
  let value: AttributeValue | undefined = attribute(item, path[0]);
  for (let at = 1; at < path.length && value !== undefined; at++) {
    const step = path[at]!;
    if (typeof step === 'number') value = 'L' in value ? value.L[step] : undefined;
    else value = 'M' in value ? attribute(value.M, step) : undefined;
  }
  return value;
}

/** As DynamoDB writes a path in its errors. */
export function pathText(path: DocumentPath): string {
  return `[${path.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join(', ')}]`;
}

/** Refuses two paths of which one lies within the other, or that see one place as list and as map. */
export function checkDistinctPaths(paths: readonly DocumentPath[], reader: TokenReader): void {
  for (const [at, path] of paths.entries()) {
    for (const earlier of paths.slice(0, at)) checkPair(earlier, path, reader);
  }
}

function checkPair(one: DocumentPath, two: DocumentPath, reader: TokenReader): void {
  const trouble = (how: string) =>
    reader.error(
      `Two document paths ${how} with each other; must remove or rewrite one of these paths; ` +
        `path one: ${pathText(one)}, path two: ${pathText(two)}`,
    );
  for (let at = 0; at < one.length && at < two.length; at++) {
    if (typeof one[at] !== typeof two[at]) throw trouble('conflict');
    if (one[at] !== two[at]) return;
  }
  throw trouble('overlap');
}
