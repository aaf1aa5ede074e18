/** Condition values of one call, by lower-case key; a key has one or several values. */
export type Context = ReadonlyMap<string, readonly string[]>;

/** A policy variable such as `${aws:PrincipalTag/org}`, with an optional default in quotes. */
const variable = /\$\{([^{}]*)\}/g;
const special: Record<string, string> = { '*': '\\*', '?': '\\?', $: '\\$' };

/** Names of the condition keys that stand as variables in a policy text. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(variable)]
    .map((match) => match[1]!.split(',')[0]!.trim())
    .filter((key) => !special[key]);
}

/**
 * Whether `text` matches a policy's `pattern`, in which `*` and `?` are wildcards and `${key}` stands for a value
 * of the call. A variable's value is literal: a `*` in it is no wildcard. A variable without a value never matches.
 */
export function matches(
  pattern: string,
  text: string,
  context: Context,
  options: MatchOptions = {},
): boolean {
  const expression = compile(pattern, context, options);
  return expression !== undefined && expression.test(text);
}

interface MatchOptions {
  ignoreCase?: boolean;
  /** Taken literally: no wildcards, only variables. */
  exact?: boolean;
}

const compiled = new Map<string, RegExp>();

function compile(pattern: string, context: Context, options: MatchOptions): RegExp | undefined {
  const flags = options.ignoreCase ? 'isu' : 'su';
  const key = `${flags}${options.exact ? '=' : '~'}${pattern}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const fixed = !pattern.includes('${');
  const source = fixed ? wildcards(pattern, options) : withVariables(pattern, context, options);
  if (source === undefined) return undefined;
  const expression = new RegExp(`^(?:${source})$`, flags);
  // What holds a variable differs from call to call.
  if (fixed) compiled.set(key, expression);
  return expression;
}

function withVariables(pattern: string, context: Context, options: MatchOptions): string | undefined {
  let source = '';
  let from = 0;
  for (const match of pattern.matchAll(variable)) {
    const [key = '', fallback] = match[1]!.split(',').map((part) => part.trim());
    const value = special[key] ?? escaped(context.get(key.toLowerCase())?.[0] ?? quoted(fallback));
    if (value === undefined) return undefined;
    source += wildcards(pattern.slice(from, match.index), options) + value;
    from = match.index + match[0].length;
  }
  return source + wildcards(pattern.slice(from), options);
}

const quoted = (text: string | undefined) => /^'(.*)'$/.exec(text ?? '')?.[1];
const escaped = (text: string | undefined) => text?.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

function wildcards(pattern: string, { exact = false }: MatchOptions): string {
  const literal = escaped(pattern)!;
  return exact ? literal : literal.replaceAll('\\*', '.*').replaceAll('\\?', '.');
}

/** As `matches`, part by part: a wildcard of an ARN does not reach over the next colon, save in its last part. */
export function matchesArn(pattern: string, arn: string, context: Context): boolean {
  if (pattern === '*') return true;
  // The colon in a variable's name parts nothing.
  const wanted = arnParts(pattern.split(/:(?![^{}]*\})/));
  const given = arnParts(arn.split(':'));
  return wanted.length === given.length && wanted.every((part, i) => matches(part, given[i]!, context));
}

/** Six parts at most: the colons of the last are its own. */
const arnParts = (parts: string[]) =>
  parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
