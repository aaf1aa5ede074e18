/**
 * Runs first in every thread of an instance, also in those a handler starts (`--require` is inherited): the
 * thread's time is the cloud's, and names are resolved by the cloud's own DNS server.
 */
import dns from 'node:dns';
import { getEnvironmentData } from 'node:worker_threads';
import { surroundingsKey } from './messages.ts';
import type { Surroundings } from './messages.ts';

const { clock, dnsPort } = getEnvironmentData(surroundingsKey) as unknown as Surroundings;

const offset = new Float64Array(clock);
const machineNow = Date.now.bind(Date);
const now = (): number => Math.floor(machineNow() + offset[0]!);

const shifted: DateConstructor = new Proxy(Date, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as object,
  apply: (target) => new target(now()).toString(),
});
Date.now = now;
Date.prototype.constructor = shifted;
globalThis.Date = shifted;

// Intl reads the machine's clock by itself when it is given no date.
const formatter = Intl.DateTimeFormat.prototype;
const { formatToParts } = formatter;
const format = Object.getOwnPropertyDescriptor(formatter, 'format')!;
Object.defineProperty(formatter, 'format', {
  ...format,
  get(this: Intl.DateTimeFormat) {
    const bound = format.get!.call(this) as (date: Date | number) => string;
    return (date?: Date | number) => bound(date ?? now());
  },
});
formatter.formatToParts = function (this: Intl.DateTimeFormat, date) {
  return formatToParts.call(this, date ?? now());
};

if (dnsPort !== undefined) {
  dns.setServers([`127.0.0.1:${dnsPort}`]);
  dns.promises.setServers([`127.0.0.1:${dnsPort}`]);
}
