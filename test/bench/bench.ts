/**
 * `npm run bench`: what the mailroom takes on this machine, in calm weather, with the load generator beside it, and what
 * its AWS calls would cost. Nothing is asserted; every part is bounded in time, all of it to two minutes.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { Call } from '../../lib/local/cloud.ts';
import { createClient } from '../../lib/sdk/client.ts';
import { openCloud } from '../support/local-cloud.ts';
import { startPosthorn, temporaryHome } from '../support/posthorn-process.ts';
import { measureRemoval } from './deprovision.ts';
import { measureFunctions } from './functions.ts';
import type { LoadPlace, Order, Report } from './load.ts';
import { arithmetic, pages, perMillion, perTime, round } from './prices.ts';
import { callsOfRequests, unlimitedOrganization } from './requests.ts';
import { measureVerification } from './verification.ts';
import { measureWebhooks } from './webhooks.ts';

const print = (line = '') => console.log(line);
const ms = (n: number) => `${n < 10 ? n.toFixed(1) : Math.round(n)} ms`;
const kb = (n: number) => (n === 0 ? '–' : `${Math.round(n / 1024).toLocaleString('en')} KB`);
const mb = (n: number) => `${Math.round(n / 1024 / 1024)} MB`;

function table(head: string[], rows: string[][]): void {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  for (const row of [head, ...rows]) {
    print(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')}`,
    );
  }
  print();
}

function percentile(latencies: number[], part: number): number {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

/** From typing the command to "Posthorn is running", on a new home and on one that was used. */
async function startToReady(): Promise<void> {
  const home = await temporaryHome();
  const times: number[] = [];
  for (let start = 0; start < 3; start++) {
    const from = performance.now();
    const { command } = await startPosthorn(home);
    times.push(performance.now() - from);
    await command.signal('SIGTERM');
  }
  await rm(home, { recursive: true });
  print(
    `Start to ready: ${ms(times[0]!)} on a new home (SES activation at 1 request/s), ${ms(Math.min(...times.slice(1)))} after that.`,
  );
}

const load = fork(new URL('./load.ts', import.meta.url), { execArgv: [] });

// It ends only when it is killed, below, or fails.
load.once('exit', (code) => {
  if (code !== null) process.exit(1);
});

async function ask(what: LoadPlace | Order): Promise<Report> {
  load.send(what);
  const [report] = (await once(load, 'message')) as [Report];
  return report;
}

const { cloud, close } = await openCloud({ sources: true });
const { key } = await unlimitedOrganization(cloud);
await ask({ api: cloud.api, smtp: cloud.smtp, key });

const journeys: { name: string; order: Order['what']; one: number; many: number; parallel: number }[] = [
  { name: 'provision', order: 'provision', one: 200, many: 1_000, parallel: 8 },
  { name: 'mail in, until readable', order: 'receive', one: 30, many: 800, parallel: 8 },
  { name: 'list of 20', order: 'list', one: 200, many: 1_000, parallel: 8 },
  { name: 'get', order: 'get', one: 200, many: 1_000, parallel: 8 },
  { name: 'label update', order: 'update', one: 100, many: 400, parallel: 8 },
];

/** Lambda's pollers look, and run-due runs, whether there is work or not; per journey only what it causes counts. */
const caused = ({ service, action, by }: Call) =>
  !(service === 'sqs' && action === 'ReceiveMessage') &&
  !/^(GetRecords|GetShardIterator)$/.test(action) &&
  !/duerundue|^events\.amazonaws/.test(by);

/** Waits until what was set in motion has come to rest. */
async function rest(): Promise<void> {
  for (let before = -1; before !== cloud.calls.list.filter(caused).length; await wait(700)) {
    before = cloud.calls.list.filter(caused).length;
  }
}

async function measure({ name, order, one, many, parallel }: (typeof journeys)[number]) {
  // As many instances of the functions as the load will need.
  await ask({ what: order, times: 5 * parallel, parallel, within: 8 });
  await rest();
  const alone = await ask({ what: order, times: one, parallel: 1, within: 5 });
  await rest();
  const cpuBefore = process.cpuUsage();
  const together = await ask({ what: order, times: many, parallel, within: 6 });
  const { user, system } = process.cpuUsage(cpuBefore);
  const n = together.latencies.length;
  const row = [
    name,
    ms(percentile(alone.latencies, 0.5)),
    ms(percentile(alone.latencies, 0.95)),
    String(Math.round((n / together.took) * 1000)),
    ms(percentile(together.latencies, 0.5)),
    ms((user + system) / 1000 / n),
    mb(process.memoryUsage().rss),
  ];
  await rest();
  return row;
}

/** The calls of one repetition. Watching whether a mail is there would count as lists, so that is left out. */
async function callsOf({ order }: (typeof journeys)[number]) {
  const times = 5;
  cloud.calls.reset();
  await ask({ what: order, times, parallel: 1, within: 20 });
  await rest();
  const calls = cloud.calls.list.filter(
    ({ by, ...call }) =>
      caused({ by, ...call }) &&
      !(order === 'receive' && (by.includes('apifunction') || by.startsWith('apigateway'))),
  );
  // The one list that names the messages to work on.
  if (order !== 'receive')
    calls.splice(
      0,
      calls.findIndex(({ service }, at) => at > 0 && service === 'lambda'),
    );
  return { calls, units: perTime(calls, times), times };
}

function summary(calls: readonly Call[], times: number): string {
  const counts = new Map<string, number>();
  for (const { service, action, by, error } of calls) {
    const who = by.replace(/^posthorn-local-/, '').replace(/function[0-9A-F]{8}.*$/, '');
    const what = `${who}: ${service}:${action}${error === undefined ? '' : ` (${error})`}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts]
    .map(([what, n]) => `${what} ${n === times ? '' : `× ${round(n / times)}`}`.trim())
    .join(', ');
}

/** Table calls and STS sessions of single requests, beside which the journeys above are long. */
async function requestRows(): Promise<string[][]> {
  const warm = createClient({ baseUrl: cloud.api, key, retries: 0 });
  return (await callsOfRequests(cloud, warm, 'bench@posthorn.test')).map(({ name, times, calls }) => {
    const { readUnits = 0, writeUnits = 0, ...others } = perTime(calls, times);
    const counted = (service: string) =>
      round(calls.filter((call) => call.service === service).length / times);
    const actions = new Map<string, number>();
    for (const { action, service } of calls)
      if (service === 'dynamodb') actions.set(action, (actions.get(action) ?? 0) + 1 / times);
    return [
      name,
      [...actions].map(([action, n]) => `${action} ${round(n)}`).join(', '),
      round(readUnits),
      round(writeUnits),
      counted('sts'),
      `$${perMillion({ readUnits, writeUnits, ...others }).toFixed(2)}`,
    ];
  });
}

try {
  print(
    `${cpus().length} × ${cpus()[0]?.model.trim()}, ${mb(totalmem())}, Node ${process.versions.node}. The load generator runs beside it.\n`,
  );
  await startToReady();
  print(`Memory when ready: ${mb(process.memoryUsage().rss)} (the functions it has used are loaded).\n`);
  const rows: string[][] = [];
  for (const journey of journeys) rows.push(await measure(journey));
  table(
    ['one at a time, then 8 at once', 'p50', 'p95', 'per second', 'p50 of 8', 'CPU each', 'memory'],
    rows,
  );
  const client = createClient({ baseUrl: cloud.api, key, retries: 0 });
  const { latencies, events, took } = await measureWebhooks(cloud, client, { mails: 30, events: 400 });
  await rest();
  print('Webhooks (the receiver runs in this process)');
  table(
    ['', 'p50', 'p95', 'per second'],
    [
      [
        'mail accepted → webhook received',
        ms(percentile(latencies, 0.5)),
        ms(percentile(latencies, 0.95)),
        '',
      ],
      [
        `${events} events of 8 callers → webhook received`,
        '',
        '',
        String(Math.round((events / took) * 1000)),
      ],
    ],
  );
  print(
    'AWS calls and cost (what runs anyway, Lambda’s pollers and run-due, is left out; a mail of 12.6 KB with an attachment of 8 KB)',
  );
  for (const journey of journeys) {
    const { calls, units, times } = await callsOf(journey);
    print(`\n  ${journey.name}: $${perMillion(units).toFixed(2)} a million`);
    print(`    ${summary(calls, times)}`);
    for (const line of arithmetic(units)) print(`    ${line}`);
  }
  print(
    '\nA request of a signed key (a lease of 100 requests is taken for the key and for the organization)',
  );
  table(['', 'table calls', 'reads', 'writes', 'AssumeRole', 'a million'], await requestRows());
  const removal = await measureRemoval(cloud, client, 2_000);
  const removed = perTime(removal.calls, 1);
  print(
    `\nDeprovision of an inbox with ${removal.mails} mails, from when the removal may begin (90 s after the call)`,
  );
  table(
    ['', 'time', 'mails a second', 'calls', 'write units', 'this one', '10,000 mails'],
    [
      [
        'rows and objects gone',
        ms(removal.took),
        String(Math.round((removal.mails / removal.took) * 1000)),
        String(removal.calls.length),
        round(removed.writeUnits ?? 0),
        `$${(perMillion(removed) / 1e6).toFixed(4)}`,
        `$${((perMillion(removed) / 1e6) * (10_000 / removal.mails)).toFixed(3)}`,
      ],
    ],
  );
  print('Checking a signature, in milliseconds of CPU (the aim: 0.3)');
  const checks = await measureVerification();
  table(
    ['', 'p50', 'p95'],
    checks.map(({ name, median, slow }) => [name, median.toFixed(3), slow.toFixed(3)]),
  );
  print('Prices (us-east-1; Lambda’s compute time, storage and traffic come on top)');
  for (const line of pages()) print(`  ${line}`);
  print();
  const functions = measureFunctions().map(({ name, handler, worker, init }) => [
    name,
    kb(handler),
    kb(worker),
    ms(init),
  ]);
  table(['function', 'bundle', 'mail parser', 'init'], functions);
} finally {
  load.kill();
  await close();
}
