import { isInnerList, serializeItem, type InnerList } from 'structured-headers';
import { Problem } from '../contract/problem.ts';
import { strictDictionary, structureOf, type Member } from './strict-dictionary.ts';

/** One signature as the request states it: nothing of it is proven yet. */
export interface SignatureClaim {
  /** The covered components in order, each serialized: `"@method"`. */
  fields: string[];
  covers: ReadonlySet<string>;
  /** The value of the signature base's last line. */
  parameters: string;
  /** Seconds since the epoch. */
  created: number;
  expires?: number;
  nonce: string;
  keyid: string;
  alg?: string;
  signature: Buffer;
}

const maxHeader = 4096;
const maxSignatures = 4;
const maxComponents = 32;
/** Bytes of an Ed25519 signature, and of the r and s of a P-256 one (RFC 9421 §3.3.4, §3.3.6). */
const signatureLength = 64;
const derived = new Set([
  '@method',
  '@target-uri',
  '@authority',
  '@scheme',
  '@request-target',
  '@path',
  '@query',
]);
const fieldName = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** A refusal of a signature for its form; `fix` says what to write instead. */
export const malformed = (message: string, fix: string): Problem =>
  new Problem('invalid_signature', message, { fix });

type Members = Map<string, Member>;
const spec = 'Sign with HTTP message signatures as RFC 9421 §4 writes them.';

/** The two headers of RFC 9421 §4, one pair a label; a reader for each, so that a bad one spoils only itself. */
export function signatureClaims(inputHeader: string, signatureHeader: string): (() => SignatureClaim)[] {
  const inputs = parse('Signature-Input', inputHeader);
  const signatures = parse('Signature', signatureHeader);
  if (inputs.size === 0) throw malformed('Signature-Input names no signature', spec);
  if (inputs.size > maxSignatures)
    throw malformed(`Signature-Input has more than ${maxSignatures} signatures`, 'Leave out the others.');
  return [...inputs.keys()].map((label) => () => readClaim(label, inputs, signatures));
}

function parse(name: string, header: string): Members {
  if (header.length > maxHeader)
    throw malformed(`${name} is longer than ${maxHeader} characters`, 'Cover fewer components.');
  const members = strictDictionary(header);
  if (members === undefined) throw malformed(`${name} is not a structured-field dictionary`, spec);
  if ('twice' in members)
    throw malformed(
      `${name} has ${members.twice} twice`,
      'Send that header once, and each label and parameter once.',
    );
  return members;
}

function readClaim(label: string, inputs: Members, signatures: Members): SignatureClaim {
  const input = inputs.get(label);
  if (input === undefined || !isInnerList(input.value))
    throw malformed(`Signature-Input: ${label} is not a list of components`, spec);
  return {
    fields: input.value[0].map((item) => serializeItem(item)),
    covers: componentNames(input.value),
    parameters: input.text,
    ...readParameters(input.value, input.text),
    signature: signatureBytes(label, signatures.get(label)?.value),
  };
}

function signatureBytes(label: string, member: Member['value'] | undefined): Buffer {
  const [bytes, parameters] = member === undefined || isInnerList(member) ? [] : member;
  if (!(bytes instanceof ArrayBuffer))
    throw malformed(`Signature has no bytes for the label ${label}`, `Give it as ${label}=:<base64>:`);
  // Nothing signs them, so that anybody on the way could have added them.
  if (parameters !== undefined && parameters.size > 0)
    throw malformed(`Signature: ${label} has parameters`, 'Give parameters in Signature-Input alone.');
  if (bytes.byteLength !== signatureLength)
    throw malformed(
      `Signature: ${label} has ${bytes.byteLength} bytes, not ${signatureLength}`,
      'Give the Ed25519 signature, or for P-256 r and s of 32 bytes each (IEEE P1363), not DER.',
    );
  return Buffer.from(bytes);
}

function componentNames([items]: InnerList): Set<string> {
  if (items.length > maxComponents)
    throw malformed(`more than ${maxComponents} components are covered`, 'Cover fewer components.');
  const names = new Set<string>();
  for (const [name, parameters] of items) {
    if (typeof name !== 'string')
      throw malformed(
        'a covered component is not a string',
        'Write each as a quoted name, such as "@method".',
      );
    if (!derived.has(name) && !fieldName.test(name))
      throw malformed(
        `the component "${name}" is not known here`,
        `Cover ${[...derived].join(' ')} or header names in lower case.`,
      );
    if (parameters.size > 0)
      throw malformed(
        `the component "${name}" has parameters, which are not understood here`,
        'Leave them out.',
      );
    if (names.has(name))
      throw malformed(`the component "${name}" is covered twice`, 'Cover each component once.');
    names.add(name);
  }
  return names;
}

type Parameters = Pick<SignatureClaim, 'created' | 'expires' | 'nonce' | 'keyid' | 'alg'>;

function readParameters([, given]: InnerList, written: string): Parameters {
  const created = seconds(given.get('created'), 'created', written);
  if (created === undefined)
    throw malformed('the signature has no created parameter', 'Give created as seconds since the epoch.');
  const nonce = text(given.get('nonce'), 'nonce');
  if (nonce === undefined)
    throw malformed('the signature has no nonce parameter', 'Give a nonce of 1 to 128 random characters.');
  const keyid = text(given.get('keyid'), 'keyid');
  if (keyid === undefined)
    throw malformed(
      'the signature has no keyid parameter',
      'Give the RFC 7638 SHA-256 thumbprint of the public key.',
    );
  const expires = seconds(given.get('expires'), 'expires', written);
  if (expires !== undefined && expires <= created)
    throw malformed('expires is not after created', 'Leave expires out, or give a later time.');
  const alg = text(given.get('alg'), 'alg');
  return {
    created,
    nonce,
    keyid,
    ...(expires !== undefined && { expires }),
    ...(alg !== undefined && { alg }),
  };
}

/** An integer as it has to be written (RFC 8941 §4.1.4): a number read from `1.0` or `01` does not show it. */
function seconds(value: unknown, name: string, written: string): number | undefined {
  if (value === undefined) return undefined;
  if (
    typeof value === 'number' &&
    Number.isSafeInteger(value) &&
    value >= 0 &&
    `${structureOf(written)};`.includes(`;${name}=${value};`)
  )
    return value;
  throw malformed(`the parameter ${name} is not a time`, 'Give whole seconds since the epoch.');
}

function text(value: unknown, name: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value.length >= 1 && value.length <= 128))
    return value;
  throw malformed(`the parameter ${name} is not a string of 1 to 128 characters`, `Write it as ${name}="…".`);
}
