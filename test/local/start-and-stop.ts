/** Starts a cloud, calls it, stops it twice and prints the milliseconds the stop took; then has nothing left to do. */
import { startCloud } from '../../lib/local/start.ts';
import { smallCloud } from './small-stack.ts';

const cloud = await startCloud(smallCloud({ home: process.argv[2]! }));
await fetch(`${cloud.api}/nowhere`);
const begun = performance.now();
await Promise.all([cloud.stop(), cloud.stop()]);
console.log(Math.round(performance.now() - begun));
