import * as z from 'zod';

/** RFC 3986 unreserved characters, so that it never needs encoding in a path. */
export const clientId = z.string().regex(/^[A-Za-z0-9\-._~]{1,256}$/, 'give 1 to 256 of A-Z a-z 0-9 - . _ ~');
