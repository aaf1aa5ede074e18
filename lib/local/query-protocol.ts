import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AwsError } from './aws-error.ts';
import type { ServiceResponse } from './cloud.ts';
import { xmlElement, type XmlContent } from './xml-element.ts';

const LARGEST_BODY = 1024 * 1024;

/** What a query request says: text, members by name, or a list. */
export type QueryValue = string | QueryValue[] | { [name: string]: QueryValue };

/** The form of a query request as an object: `A.member.1.B=x` becomes `{A: [{B: 'x'}]}`. */
export function readQuery(form: URLSearchParams): Record<string, QueryValue> {
  const root: Record<string, any> = Object.create(null);
  for (const [path, value] of form) {
    const names = path.split('.');
    let at = root;
    for (const name of names.slice(0, -1))
      at = at[name] = typeof at[name] === 'object' ? at[name] : Object.create(null);
    at[names.at(-1)!] = value;
  }
  return listed(root) as Record<string, QueryValue>;
}

function listed(value: any): QueryValue {
  if (typeof value === 'string') return value;
  const entries = Object.entries(value as object);
  const members =
    entries.length === 1 && entries[0]![0] === 'member' ? (entries[0]![1] as object) : undefined;
  if (members === undefined) return Object.fromEntries(entries.map(([name, inner]) => [name, listed(inner)]));
  return Object.entries(members)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, inner]) => listed(inner));
}

/** The body of a request. Throws AwsError when it is larger than `limit` bytes, 1 MB where nothing is said. */
export async function readText(body: Readable, limit = LARGEST_BODY): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) {
      const message = `The request is larger than ${limit / LARGEST_BODY} MB.`;
      throw new AwsError('RequestEntityTooLarge', message, { status: 413 });
    }
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A list as the query protocol writes it. */
export const members = (list: XmlContent[]): XmlContent => ({ member: list });

/** `namespace` is the XML namespace of the service's API, which names its version. */
export function queryAnswer(
  namespace: string,
  action: string,
  result: { [name: string]: XmlContent },
): ServiceResponse {
  const content = { [`${action}Result`]: result, ResponseMetadata: { RequestId: randomUUID() } };
  return xml(200, xmlElement(`${action}Response`, content, namespace));
}

export function queryError(namespace: string, error: AwsError): ServiceResponse {
  const type = error.status >= 500 ? 'Receiver' : 'Sender';
  const detail = {
    Type: type,
    Code: error.code,
    Message: error.message,
    ...(error.fields as Record<string, XmlContent>),
  };
  return xml(
    error.status,
    xmlElement('ErrorResponse', { Error: detail, RequestId: randomUUID() }, namespace),
  );
}

const xml = (status: number, body: string): ServiceResponse => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body,
});
