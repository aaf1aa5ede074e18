import type { CorsConfiguration } from './api-properties.ts';
import type { ApiAnswer } from './proxy-answer.ts';

/** Headers that a browser's request of this origin gets; none when the origin is not allowed. */
export function corsHeaders(cors: CorsConfiguration, origin: string | undefined): Record<string, string> {
  if (origin === undefined) return {};
  const anyone = cors.AllowOrigins.includes('*');
  if (!anyone && !cors.AllowOrigins.includes(origin)) return {};
  return {
    'access-control-allow-origin': anyone ? '*' : origin,
    ...(cors.AllowCredentials && { 'access-control-allow-credentials': 'true' }),
    ...(cors.ExposeHeaders.length > 0 && { 'access-control-expose-headers': cors.ExposeHeaders.join(',') }),
  };
}

/** The answer to a preflight, which the API gives itself and no route sees. */
export function preflight(cors: CorsConfiguration, origin: string | undefined): ApiAnswer {
  const allowed = corsHeaders(cors, origin);
  const known = Object.keys(allowed).length > 0;
  return {
    status: 204,
    headers: {
      ...allowed,
      ...(known &&
        cors.AllowMethods.length > 0 && { 'access-control-allow-methods': cors.AllowMethods.join(',') }),
      ...(known &&
        cors.AllowHeaders.length > 0 && { 'access-control-allow-headers': cors.AllowHeaders.join(',') }),
      ...(known && cors.MaxAge !== undefined && { 'access-control-max-age': String(cors.MaxAge) }),
    },
    body: Buffer.alloc(0),
  };
}
