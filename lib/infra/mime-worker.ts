import type { Entries } from './bundle.ts';

/** The process that parses mail, bundled beside the handlers that take mail in. */
export const mimeWorker: Entries = { 'mime-worker': 'lib/adapters/mime/worker.ts' };
