type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or end' | 'nothing';

const blank = /[ \t\n\r]*/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Where a text stops being JSON (RFC 8259), as an offset in UTF-16 units: at the first character that cannot
 * stand there, or at the end of an unfinished text. V8 names no position for some of its complaints.
 */
export function jsonFault(text: string): number {
  const open: string[] = [];
  let expected: Expected = 'value';
  for (let at = skip(blank, text, 0); at < text.length; at = skip(blank, text, at)) {
    const char = text[at]!;
    const after = next(expected, char, open);
    if (after === undefined) return at;
    const end =
      char === '"' ? endOfString(text, at) : '{}[],:'.includes(char) ? at + 1 : skip(scalar, text, at);
    if (end === undefined || end === at) return at;
    expected = after;
    at = end;
  }
  return text.length;
}

/** What may follow the token that begins with `char`, keeping `open`; `undefined` when it may not stand here. */
function next(expected: Expected, char: string, open: string[]): Expected | undefined {
  if (char === '}' || char === ']') return close(expected, char, open);
  if (expected === ':') return char === ':' ? 'value' : undefined;
  if (expected === ', or end') return char === ',' ? (open.at(-1) === '{' ? 'name' : 'value') : undefined;
  if (expected === 'name' || expected === 'name or }') return char === '"' ? ':' : undefined;
  if (expected === 'nothing' || char === ',' || char === ':') return undefined;
  if (char !== '{' && char !== '[') return afterValue(open);
  open.push(char);
  return char === '{' ? 'name or }' : 'value or ]';
}

function close(expected: Expected, char: '}' | ']', open: string[]): Expected | undefined {
  const empty = char === '}' ? 'name or }' : 'value or ]';
  if ((expected !== ', or end' && expected !== empty) || open.pop() !== (char === '}' ? '{' : '['))
    return undefined;
  return afterValue(open);
}

const afterValue = (open: string[]): Expected => (open.length === 0 ? 'nothing' : ', or end');

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return undefined;
}
