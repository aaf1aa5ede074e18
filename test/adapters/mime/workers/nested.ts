/** A thread that parses mail itself, as a function of the local cloud does. */
import { parentPort, workerData } from 'node:worker_threads';
import { createMailParser } from '../../../../lib/adapters/mime.ts';

async function* once(): AsyncGenerator<Uint8Array> {
  yield workerData as Uint8Array;
}

const file = await createMailParser().parse(once());
parentPort?.postMessage(file.mail);
await file[Symbol.asyncDispose]();
