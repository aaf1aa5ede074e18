import { TemplateError } from './template-error.ts';

/** Answers the names a template may refer to. Each throws TemplateError at `at` when there is no such name. */
export interface Scope {
  ref(name: string, at: string): unknown;
  getAtt(logicalId: string, attribute: string, at: string): unknown;
  condition(name: string, at: string): boolean;
  mapping(map: string, first: string, second: string, at: string): unknown;
}

/** What `AWS::NoValue` resolves to: the property or element that holds it is left out. */
export const NO_VALUE = Symbol('AWS::NoValue');

type Evaluate = (argument: unknown, scope: Scope, at: string) => unknown;

/** A template value with every intrinsic function carried out. Throws TemplateError naming the path. */
export function resolve(value: unknown, scope: Scope, at: string): unknown {
  if (typeof value === 'string') return plainString(value, at);
  if (Array.isArray(value)) {
    return value.map((item, i) => resolve(item, scope, `${at}.${i}`)).filter((item) => item !== NO_VALUE);
  }
  if (typeof value !== 'object' || value === null) return value;
  const name = intrinsicOf(value, at);
  if (name !== undefined) {
    return intrinsics[name]!((value as Record<string, unknown>)[name], scope, `${at}.${name}`);
  }
  const resolved: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const result = resolve(item, scope, `${at}.${key}`);
    if (result !== NO_VALUE) resolved[key] = result;
  }
  return resolved;
}

/** The intrinsic function an object stands for, or undefined for plain data. Unknown functions are refused. */
export function intrinsicOf(value: object, at: string): string | undefined {
  const keys = Object.keys(value);
  const name = keys.find((key) => key === 'Ref' || key.startsWith('Fn::'));
  if (name === undefined) return undefined;
  if (keys.length > 1) throw new TemplateError(at, `${name} must be the only key of its object`);
  if (!(name in intrinsics)) throw new TemplateError(at, `the intrinsic function ${name} is not known here`);
  return name;
}

/** Names inside a Fn::Sub string, as `${Name}` or `${Name.Attribute}`; `${!Name}` is literal text. */
export const subPattern = /\$\{(!?)([^{}]+)\}/g;

const intrinsics: Record<string, Evaluate> = {
  Ref: (argument, scope, at) => scope.ref(text(argument, at), at),
  'Fn::GetAtt': (argument, scope, at) => {
    const [logicalId, attribute] = getAttParts(argument, at);
    return scope.getAtt(logicalId, attribute, at);
  },
  'Fn::Join': (argument, scope, at) => {
    const [delimiter, items] = tuple(argument, 2, at);
    const parts = list(resolve(items, scope, `${at}.1`), `${at}.1`);
    return parts.map((part, i) => scalar(part, `${at}.1.${i}`)).join(text(delimiter, `${at}.0`));
  },
  'Fn::Sub': substitute,
  'Fn::Select': (argument, scope, at) => {
    const [position, items] = tuple(argument, 2, at);
    const index = Number(scalar(resolve(position, scope, `${at}.0`), `${at}.0`));
    const from = list(resolve(items, scope, `${at}.1`), `${at}.1`);
    if (!(index in from)) throw new TemplateError(at, `has no element ${index} in a list of ${from.length}`);
    return from[index];
  },
  'Fn::Split': (argument, scope, at) => {
    const [delimiter, source] = tuple(argument, 2, at);
    return text(resolve(source, scope, `${at}.1`), `${at}.1`).split(text(delimiter, `${at}.0`));
  },
  'Fn::If': (argument, scope, at) => {
    const [name, then, otherwise] = tuple(argument, 3, at);
    const holds = scope.condition(text(name, `${at}.0`), at);
    return resolve(holds ? then : otherwise, scope, `${at}.${holds ? 1 : 2}`);
  },
  'Fn::FindInMap': (argument, scope, at) => {
    const keys = tuple(argument, 3, at).map((key, i) =>
      text(resolve(key, scope, `${at}.${i}`), `${at}.${i}`),
    );
    return scope.mapping(keys[0]!, keys[1]!, keys[2]!, at);
  },
  'Fn::Base64': (argument, scope, at) =>
    Buffer.from(text(resolve(argument, scope, at), at)).toString('base64'),
  'Fn::ToJsonString': (argument, scope, at) => JSON.stringify(resolve(argument, scope, at)),
};

function substitute(argument: unknown, scope: Scope, at: string): string {
  const [source, given] = typeof argument === 'string' ? [argument, {}] : tuple(argument, 2, at);
  const variables = given as Record<string, unknown>;
  return plainString(text(source, at), at).replace(subPattern, (_all, literal: string, name: string) => {
    if (literal !== '') return `\${${name}}`;
    if (Object.hasOwn(variables, name)) return scalar(resolve(variables[name], scope, `${at}.1.${name}`), at);
    const dot = name.indexOf('.');
    const found = dot < 0 ? scope.ref(name, at) : scope.getAtt(name.slice(0, dot), name.slice(dot + 1), at);
    return scalar(found, at);
  });
}

/** Both spellings of a GetAtt: ["Id", "Name"] and "Id.Name". */
export function getAttParts(argument: unknown, at: string): [logicalId: string, attribute: string] {
  const parts = typeof argument === 'string' ? argument.split('.') : list(argument, at);
  const [logicalId, ...rest] = parts.map((part) => text(part, at));
  if (logicalId === undefined || rest.length === 0)
    throw new TemplateError(at, 'wants a logical id and a name');
  return [logicalId, rest.join('.')];
}

// CloudFormation would read these from SSM or Secrets Manager; as literal text they would be a lie.
function plainString(value: string, at: string): string {
  if (value.includes('{{resolve:')) throw new TemplateError(at, 'dynamic references are not known here');
  return value;
}

function tuple(value: unknown, length: number, at: string): unknown[] {
  const items = list(value, at);
  if (items.length !== length) throw new TemplateError(at, `wants ${length} arguments, not ${items.length}`);
  return items;
}

function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw new TemplateError(at, 'wants a list');
  return value;
}

function text(value: unknown, at: string): string {
  if (typeof value !== 'string') throw new TemplateError(at, 'wants a string');
  return value;
}

function scalar(value: unknown, at: string): string {
  if (!['string', 'number', 'boolean'].includes(typeof value))
    throw new TemplateError(at, 'wants a single value');
  return String(value);
}
