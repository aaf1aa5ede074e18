/** Loads the parsing thread's module and says whether all objects could still be given new properties. */
import { parentPort } from 'node:worker_threads';
import '../../../../lib/adapters/mime/worker.ts';

parentPort?.postMessage(Object.isExtensible(Object.prototype));
