import * as z from 'zod';

/** Headers of one webhook, and the characters of all their names and values together. */
export const maxHeaders = 20;
export const maxHeaderCharacters = 8192;

/** RFC 9110 §5.6.2: a token. */
const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** RFC 9110 §5.5, without its obsolete bytes: no line break starts another header. */
const fieldValue = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/;

/** What the deliverer says itself, what belongs to one connection, and what would change how the body is read. */
const ownNames: ReadonlySet<string> = new Set([
  ...['host', 'content-length', 'content-type', 'content-encoding', 'content-digest', 'user-agent', 'date'],
  ...[
    'connection',
    'keep-alive',
    'transfer-encoding',
    'te',
    'trailer',
    'upgrade',
    'expect',
    'accept-encoding',
  ],
  '__proto__',
]);
const ownPrefixes = ['webhook-', 'svix-', 'proxy-', 'http2-'];

const isOwn = (name: string): boolean =>
  ownNames.has(name.toLowerCase()) || ownPrefixes.some((prefix) => name.toLowerCase().startsWith(prefix));

const headerName = z
  .string()
  .max(128)
  .regex(token, 'give a header name: letters, digits and -')
  .refine((name) => !isOwn(name), 'this header is set by the deliverer; choose another name');
const headerValue = z
  .string()
  .max(4096)
  .regex(fieldValue, 'give visible ASCII characters, with spaces only between them');

const lower = (names: string[]): string[] => names.map((name) => name.toLowerCase());
const size = (headers: Record<string, string>): number =>
  Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);

/** What is wrong with a set of headers as a whole; `undefined` when nothing is. */
export function headersFault(headers: Record<string, string>): string | undefined {
  const names = lower(Object.keys(headers));
  if (new Set(names).size < names.length) return 'a name stands there twice, in different spelling';
  if (names.length > maxHeaders) return `give at most ${maxHeaders} headers`;
  if (size(headers) > maxHeaderCharacters)
    return `give at most ${maxHeaderCharacters} characters, names and values together`;
  return undefined;
}

const whole = (headers: Record<string, string>, context: z.core.$RefinementCtx): void => {
  const message = Object.keys(headers).length === 0 ? 'give at least one header' : headersFault(headers);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
};

/** Headers sent with every delivery. Their values are written and never shown. */
export const webhookHeaders = z.record(headerName, headerValue).superRefine(whole);

export const updateWebhookHeaders = z
  .object({
    headers: webhookHeaders.nullish(),
    remove_headers: z.array(z.string().min(1).max(128)).max(maxHeaders).nullish(),
  })
  .superRefine(({ headers, remove_headers }, context) => {
    const removed = new Set(lower(remove_headers ?? []));
    if (headers == null && removed.size === 0)
      context.addIssue({ code: 'custom', message: 'give headers or remove_headers' });
    const both = lower(Object.keys(headers ?? {})).find((name) => removed.has(name));
    if (both !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['remove_headers'],
        message: `${both} cannot be set and removed at once`,
      });
  });
export type UpdateWebhookHeaders = z.infer<typeof updateWebhookHeaders>;

export const webhookHeaderNames = z.object({ header_names: z.array(z.string()) });
