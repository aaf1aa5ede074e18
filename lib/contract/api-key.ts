import * as z from 'zod';
import { privateJwk, publicJwk } from './credential.ts';
import { clientId } from './client-id.ts';
import { pageAnswer, pageQuery } from './page.ts';
import { permissions } from './permission.ts';

/** Every bearer key begins so, and every minted token; secret scanners look for it. */
export const bearerPrefix = 'ph_';
export const tokenPrefix = 'pht_';

const isoTime = z.iso.datetime({ offset: true, error: 'give an ISO 8601 time such as 2026-01-31T12:00:00Z' });
const about = {
  name: z.string().trim().min(1).max(256).nullish(),
  permissions: permissions.nullish(),
  expires_at: isoTime.nullish(),
  client_id: clientId.nullish(),
};
const proof = z.string().regex(/^[A-Za-z0-9_-]{86}$/, 'give the 64-byte signature as unpadded base64url');

/**
 * Three kinds of key: one's own public key with its proof; a pair made here and shown once; a bearer key, where
 * the organization takes them. As on the wire, a body with `public_key` means the first and any other the last.
 */
export const createApiKey = z.preprocess(
  (body) =>
    typeof body === 'object' && body !== null && !('type' in body)
      ? { type: 'public_key' in body ? 'public_key' : 'bearer', ...body }
      : body,
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('public_key'), public_key: publicJwk, proof, ...about }),
    z.strictObject({ type: z.literal('generate'), ...about }),
    z.strictObject({ type: z.literal('bearer'), ...about }),
  ]),
);
export type CreateApiKey = z.infer<typeof createApiKey>;

type Sent<Type> = Extract<CreateApiKey, { type: Type }>;
/** What is sent for one: `type` may be left out where `public_key` says it, or where a bearer key is meant. */
export type CreateApiKeyBody =
  | CreateApiKey
  | (Omit<Sent<'public_key'>, 'type'> & { type?: undefined })
  | (Omit<Sent<'bearer'>, 'type'> & { type?: undefined; public_key?: undefined });

export const updateApiKey = z
  .strictObject({ name: about.name, permissions: permissions.optional() })
  .refine(
    ({ name, permissions: asked }) => name !== undefined || asked !== undefined,
    'give name or permissions',
  );
export type UpdateApiKey = z.infer<typeof updateApiKey>;

const common = {
  api_key_id: z.string(),
  name: z.string(),
  organization_id: z.string(),
  pod_id: z.string().optional(),
  inbox_id: z.string().optional(),
  client_id: z.string().optional(),
  /** About the hour it was last used in; absent: never. */
  used_at: z.string().optional(),
  created_by: z.object({ api_key_id: z.string().optional() }).optional(),
  created_at: z.string(),
  updated_at: z.string(),
  expires_at: z.string().optional(),
};

export const publicApiKey = z.object({
  type: z.literal('public_key'),
  ...common,
  public_key: z.object({ jwk: publicJwk, fingerprint: z.string() }),
  /** All of them for a key without restriction. */
  permissions,
  /** RFC 7638 thumbprint: the `keyid` of its signatures. */
  keyid: z.string(),
});
export const bearerApiKey = z.object({
  type: z.literal('bearer'),
  ...common,
  /** How the key begins, to tell it from others. */
  prefix: z.string(),
  permissions: permissions.optional(),
});
export const apiKey = z.discriminatedUnion('type', [publicApiKey, bearerApiKey]);
export type ApiKey = z.infer<typeof apiKey>;

/** What is shown once, beside the key. */
export const createdApiKey = z.discriminatedUnion('type', [
  publicApiKey.extend({ private_jwk: privateJwk.optional() }),
  bearerApiKey.extend({ api_key: z.string().optional() }),
]);
export type CreatedApiKey = z.infer<typeof createdApiKey>;

export const apiKeysQuery = z.object({
  ...pageQuery.shape,
  type: z
    .preprocess((value) => (Array.isArray(value) ? value.at(-1) : value), z.enum(['bearer', 'public_key']))
    .optional(),
});
export const apiKeyList = z.object({ ...pageAnswer, api_keys: z.array(apiKey) });
