/**
 * Whether this is `npm run soak`: journeys then go more rounds, and prove once more in the large what `npm test`, which
 * has five minutes, proves in the small.
 */
export const thorough = process.env['POSTHORN_SOAK'] === 'true';
