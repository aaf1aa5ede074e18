import { Problem } from '../contract/problem.ts';
import type { HttpRequest } from './http-request.ts';
import { jsonFault } from './json-fault.ts';

/** Lambda takes requests of 6 MB. */
const maxBody = 6 * 1024 * 1024;
const maxDepth = 32;
const jsonType = /^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i;

/** The JSON value of a request's body, `undefined` when there is none. Throws a `Problem`. */
export function readJsonBody({ body, headers }: HttpRequest): unknown {
  if (body.length === 0) return undefined;
  if (body.length > maxBody)
    throw new Problem('payload_too_large', 'the body is larger than 6 MB', { fix: 'Send less at once.' });
  const type = headers['content-type']?.trim();
  if (type && !jsonType.test(type)) {
    throw new Problem('unsupported_media_type', 'the body is not application/json', {
      fix: 'Send JSON with Content-Type: application/json.',
    });
  }
  const text = decode(body);
  if (deeperThan(text, maxDepth)) throw invalid(`the body is nested deeper than ${maxDepth} levels`);
  const value = parse(text);
  refuseProto(value);
  return value;
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw invalid('the body is not UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`the body is not JSON: ${(error as Error).message}`, positionOf(error as Error, text));
  }
}

function positionOf({ message }: Error, text: string): number {
  const named = / at position (\d+)/.exec(message)?.[1];
  return named === undefined ? jsonFault(text) : Number(named);
}

/** Checked before parsing: six million open brackets would take the function's memory. */
function deeperThan(text: string, most: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (inString && char === 0x5c) at++;
    else if (char === 0x22) inString = !inString;
    else if (inString) continue;
    else if (char === 0x5b || char === 0x7b) depth++;
    else if (char === 0x5d || char === 0x7d) depth--;
    if (depth > most) return true;
  }
  return false;
}

/** `JSON.parse` makes `__proto__` an ordinary member; copied on by an assignment it would not stay one. */
function refuseProto(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) throw invalid('the body has a member named __proto__');
  for (const member of Object.values(value)) refuseProto(member);
}

function invalid(message: string, position?: number): Problem {
  const said =
    position === undefined || message.includes(' at position ')
      ? message
      : `${message} at position ${position}`;
  return new Problem('validation_error', said, {
    fix: 'Send one JSON object.',
    errors: [{ code: 'invalid_json', path: [], message: said }],
  });
}
