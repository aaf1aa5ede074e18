import { validation } from '../errors.ts';
import type { AttributeValue, Item } from '../value/attribute-value.ts';
import { attribute, copyItem, copyValue, inside, setAttribute, typeOf } from '../value/attribute-value.ts';
import { addNumbers, subtractNumbers } from '../value/decimal.ts';
import type { DocumentPath } from './document-path.ts';
import { valueAt } from './document-path.ts';
import type { UpdateAction, UpdateValue } from './update-syntax.ts';

/**
 * The item after the update. Every value and every list position refers to the item as it was before; what
 * is set beyond a list's end is appended in order of position. Throws ValidationException in DynamoDB's
 * words.
 */
export function applyUpdate(item: Item, actions: readonly UpdateAction[]): Item {
  const values = actions.map((action) => newValue(action, item));
  const after = copyItem(item);
  const lists: ChangedLists = new Map();
  for (const [at, action] of actions.entries()) {
    const value = values[at];
    if (value !== undefined) put(after, action.path, value, lists);
    else remove(after, action.path, lists);
  }
  for (const [list, beyond] of lists) closeRanks(list, beyond);
  return after;
}

/** Lists with holes in them or members to come, those by the position they were set at. */
type ChangedLists = Map<AttributeValue[], Map<number, AttributeValue>>;

/** What the action leaves at its path; undefined when nothing. */
function newValue(action: UpdateAction, item: Item): AttributeValue | undefined {
  if (action.kind === 'REMOVE') return undefined;
  if (action.kind === 'SET') return copyValue(evaluate(action.value, item));
  const old = valueAt(item, action.path);
  if (action.kind === 'ADD') return added(old, action.value);
  return old === undefined ? undefined : withoutMembers(old, action.value);
}

function evaluate(value: UpdateValue, item: Item): AttributeValue {
  switch (value.kind) {
    case 'value':
      return value.value;
    case 'path': {
      const found = valueAt(item, value.path);
      if (found !== undefined) return found;
      throw validation('The provided expression refers to an attribute that does not exist in the item');
    }
    case 'if_not_exists':
      return valueAt(item, value.path) ?? evaluate(value.otherwise, item);
    case 'list_append': {
      const [first, second] = [evaluate(value.first, item), evaluate(value.second, item)];
      if (!('L' in first && 'L' in second)) throw wrongOperand();
      return { L: [...first.L, ...second.L] };
    }
    case '+':
    case '-': {
      const [left, right] = [evaluate(value.left, item), evaluate(value.right, item)];
      if (!('N' in left && 'N' in right)) throw wrongOperand();
      return { N: value.kind === '+' ? addNumbers(left.N, right.N) : subtractNumbers(left.N, right.N) };
    }
  }
}

function added(old: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (old === undefined) return copyValue(value);
  if (typeOf(old) !== typeOf(value)) throw wrongOperand();
  if ('N' in old && 'N' in value) return { N: addNumbers(old.N, value.N) };
  const members = new Set([...(inside(old) as string[]), ...(inside(value) as string[])]);
  return { [typeOf(old)]: [...members] } as AttributeValue;
}

/** DynamoDB has no empty sets: without members the attribute goes. */
function withoutMembers(old: AttributeValue, value: AttributeValue): AttributeValue | undefined {
  if (typeOf(old) !== typeOf(value)) throw wrongOperand();
  const gone = new Set(inside(value) as string[]);
  const members = (inside(old) as string[]).filter((member) => !gone.has(member));
  return members.length === 0 ? undefined : ({ [typeOf(old)]: members } as AttributeValue);
}

function wrongOperand() {
  return validation('An operand in the update expression has an incorrect data type');
}

function parentOf(item: Item, path: DocumentPath): AttributeValue {
  const parent = path.length === 1 ? { M: item } : valueAt(item, path.slice(0, -1) as DocumentPath);
  const wanted = typeof path.at(-1) === 'number' ? 'L' : 'M';
  if (parent !== undefined && wanted in parent) return parent;
  throw validation('The document path provided in the update expression is invalid for update');
}

function put(item: Item, path: DocumentPath, value: AttributeValue, lists: ChangedLists): void {
  const parent = parentOf(item, path);
  const step = path.at(-1)!;
  if ('M' in parent) return setAttribute(parent.M, step as string, value);
  const list = (parent as { L: AttributeValue[] }).L;
  if ((step as number) < list.length) list[step as number] = value;
  else beyondEnd(list, lists).set(step as number, value);
}

function remove(item: Item, path: DocumentPath, lists: ChangedLists): void {
  const parent = parentOf(item, path);
  const step = path.at(-1)!;
  if ('M' in parent) {
    if (attribute(parent.M, step as string) !== undefined) delete parent.M[step as string];
    return;
  }
  const list = (parent as { L: AttributeValue[] }).L;
  beyondEnd(list, lists);
  // A hole keeps the later positions where they are until closeRanks.
  if ((step as number) < list.length) Reflect.deleteProperty(list, step);
}

function beyondEnd(list: AttributeValue[], lists: ChangedLists): Map<number, AttributeValue> {
  const beyond = lists.get(list) ?? new Map<number, AttributeValue>();
  lists.set(list, beyond);
  return beyond;
}

function closeRanks(list: AttributeValue[], beyond: Map<number, AttributeValue>): void {
  // filter() passes over the holes that removed members left.
  const members = list.filter(() => true);
  const appended = [...beyond].sort(([a], [b]) => a - b).map(([, value]) => value);
  list.splice(0, list.length, ...members, ...appended);
}
