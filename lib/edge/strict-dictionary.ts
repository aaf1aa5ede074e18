import { isInnerList, parseDictionary } from 'structured-headers';

type Value = NonNullable<ReturnType<ReturnType<typeof parseDictionary>['get']>>;

/** One member of a structured-field dictionary. */
export interface Member {
  value: Value;
  /**
   * Its value as it was written, but for white space, which is made canonical (RFC 8941 §4.1). Reading and writing it
   * anew would take `1.0` for `1` and `01` for `1`: what is signed is what is written.
   */
  text: string;
}

const string = /%"[^"]*"|"(?:\\.|[^"\\])*"/g;
const member = /(?:%"[^"]*"|"(?:\\.|[^"\\])*"|\((?:%"[^"]*"|"(?:\\.|[^"\\])*"|[^")])*\)|[^,"(])+/g;
const spacing = /(%"[^"]*"|"(?:\\.|[^"\\])*")|(?<=[(;]) +| +(?=\))|( +)/g;

/** What remains of the text of a member when the content of its strings is left out: its structure. */
export const structureOf = (text: string): string => text.replace(string, '""');

/**
 * Reads a dictionary (RFC 8941 §3.2) in which no key and no parameter comes twice. There the RFC lets the last one
 * win; a reader on the way may let the first. API Gateway joins repeated headers to one, so a second header is found
 * here too. `undefined` where it is none, `twice` with the key that comes again.
 */
export function strictDictionary(header: string): Map<string, Member> | { twice: string } | undefined {
  const members = new Map<string, Member>();
  const read = parsed(header);
  if (read === undefined) return undefined;
  for (const written of header.match(member) ?? []) {
    const [, key = '', equals, rest = ''] = /^[ \t]*([a-z*][a-z0-9_.*-]*)(=?)(.*)$/s.exec(written) ?? [];
    const value = read.get(key);
    if (value === undefined) continue; // White space alone.
    if (members.has(key)) return { twice: key };
    const text = `${equals}${rest}`
      .replace(/^=|[ \t]+$/g, '')
      .replace(spacing, (_, kept?: string, gap?: string) => kept ?? (gap ? ' ' : ''));
    const twice = parameterTwice(text, value);
    if (twice !== undefined) return { twice };
    members.set(key, { value, text });
  }
  return members.size === read.size ? members : undefined;
}

function parsed(header: string): ReturnType<typeof parseDictionary> | undefined {
  try {
    return parseDictionary(header);
  } catch {
    return undefined;
  }
}

function parameterTwice(text: string, value: Value): string | undefined {
  const parameters = isInnerList(value) ? structureOf(text).replace(/^\([^)]*\)/, '') : structureOf(text);
  const names = [...parameters.matchAll(/;([a-z*][a-z0-9_.*-]*)/g)].map(([, name]) => name!);
  return names.find((name, place) => names.indexOf(name) !== place);
}
