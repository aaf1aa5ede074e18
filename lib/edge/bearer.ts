import { createHash } from 'node:crypto';
import { bearerPrefix, tokenPrefix } from '../contract/api-key.ts';
import type { Permissions } from '../contract/permission.ts';
import type { InboxRef } from '../contract/principal.ts';

/** What a minted token says, once it is opened. */
export interface TokenClaims {
  token_id: string;
  /** The credential that minted it. What that may no longer do, the token may no longer do. */
  keyid: string;
  organization_id: string;
  pod_id?: string;
  inbox?: InboxRef;
  permissions?: Permissions;
  /** ISO 8601. */
  expires_at: string;
}

/** Port: opens minted tokens. `undefined`: forged or damaged. */
export interface BearerTokens {
  open(text: string): Promise<TokenClaims | undefined>;
}

/** Characters of the longest bearer; a minted token holds its permissions. */
const longest = 8192;
const scheme = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export type Bearer = { kind: 'key'; keyid: string } | { kind: 'token'; text: string };

/** What an Authorization header (RFC 6750 §2.1) brings; `undefined` when it is no bearer of ours. */
export function readBearer(header: string): Bearer | undefined {
  const text = header.length > longest ? undefined : scheme.exec(header.trim())?.[1];
  if (text?.startsWith(tokenPrefix)) return { kind: 'token', text };
  if (text?.startsWith(bearerPrefix)) return { kind: 'key', keyid: bearerKeyid(text) };
  return undefined;
}

/** The name a bearer key is kept under: 256 random bits need no slow hash, and the key itself is nowhere. */
export const bearerKeyid = (text: string): string => createHash('sha256').update(text).digest('base64url');
