import { tokenPrefix } from '../../contract/api-key.ts';
import type { BearerTokens, TokenClaims } from '../../core/mint-token.ts';
import type { Database } from './client.ts';
import { sealedText } from './sealed-text.ts';

/** The form of the claims; another form is another purpose, which none of the old tokens opens. */
const purpose = 'bearer v1';
/** Characters. With its header API Gateway takes 10,240 bytes, and the claims are a tenth of it. */
const longest = 8192;

/** Minted tokens: their claims sealed, so that nothing is stored of them. Whether one is over its reader checks. */
export function bearerTokens(database: Database): BearerTokens {
  const sealed = sealedText(database, 'bearer-token');
  return {
    seal: async (claims) => `${tokenPrefix}${await sealed.seal(claims, purpose)}`,
    async open(text) {
      if (!text.startsWith(tokenPrefix) || text.length > longest) return undefined;
      return (await sealed.open(text.slice(tokenPrefix.length), purpose)) as TokenClaims | undefined;
    },
  };
}
