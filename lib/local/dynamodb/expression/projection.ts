import type { AttributeValue, Item } from '../value/attribute-value.ts';
import { attribute, setAttribute } from '../value/attribute-value.ts';
import type { DocumentPath } from './document-path.ts';
import { checkDistinctPaths, readPath, valueAt } from './document-path.ts';
import type { Placeholders } from './placeholders.ts';
import { TokenReader } from './token-reader.ts';

/** Reads a ProjectionExpression. */
export function readProjection(source: string, placeholders: Placeholders): DocumentPath[] {
  const reader = new TokenReader(source, 'ProjectionExpression');
  const paths = [readPath(reader, placeholders)];
  while (reader.accept(',')) paths.push(readPath(reader, placeholders));
  reader.expectEnd();
  checkDistinctPaths(paths, reader);
  return paths;
}

/** What of the item lies at the paths. Members chosen from a list close ranks, in their order. */
export function project(item: Item, paths: readonly DocumentPath[]): Item {
  const chosen: Item = {};
  const sparse = new Map<AttributeValue[], Map<number, AttributeValue>>();
  for (const path of paths) {
    const value = valueAt(item, path);
    if (value !== undefined) place({ M: chosen }, path, 0, value, sparse);
  }
  for (const [list, members] of sparse) {
    list.push(...[...members].sort(([a], [b]) => a - b).map(([, member]) => member));
  }
  return chosen;
}

type Sparse = Map<AttributeValue[], Map<number, AttributeValue>>;

function place(
  into: AttributeValue,
  path: DocumentPath,
  at: number,
  value: AttributeValue,
  sparse: Sparse,
): void {
  const step = path[at]!;
  const last = at === path.length - 1;
  const below = (): AttributeValue => (typeof path[at + 1] === 'number' ? { L: [] } : { M: {} });
  if (typeof step === 'number' && 'L' in into) {
    const members = sparse.get(into.L) ?? new Map<number, AttributeValue>();
    sparse.set(into.L, members);
    const member = last ? value : (members.get(step) ?? below());
    members.set(step, member);
    if (!last) place(member, path, at + 1, value, sparse);
  } else if (typeof step === 'string' && 'M' in into) {
    const member = last ? value : (attribute(into.M, step) ?? below());
    setAttribute(into.M, step, member);
    if (!last) place(member, path, at + 1, value, sparse);
  }
}
