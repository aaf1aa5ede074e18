import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { Clock } from './clock.ts';
import { freePort } from './free-port.ts';
import { startCloud, type LocalCloud } from './start.ts';
import { calm } from './weather.ts';

/** What the app gives the local cloud: its template, and how a person gets a first key out of it. */
export interface App {
  synthesize(options: { mailDomain: string; publicOrigins: string[] }): {
    template: object;
    stackName: string;
  };
  /** The folder that the template's paths of sources start from. */
  project: string;
  firstOrganization(at: { api: string; operator: LocalCloud['operator'] }): Promise<FirstOrganization>;
}
interface FirstOrganization {
  organization_id: string;
  key: { api_key_id: string; private_jwk: object };
}

const usage = `npm start -- [options]
  --port N        HTTP API (default 8025; 0: any free port)
  --smtp-port N   where mail arrives (default 2525)
  --dns-port N    DNS of the mail domain, UDP and TCP (default 5354)
  --domain NAME   mail domain (default posthorn.test)
  --home FOLDER   where everything is kept (default .posthorn)
  --durable       what is acknowledged survives a power loss too, not only the end of the process`;

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .pipe(z.number().max(65_535));
const options = z.object({
  port: port.default(8025),
  'smtp-port': port.default(2525),
  'dns-port': port.default(5354),
  domain: z
    .string()
    .toLowerCase()
    .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*$/)
    .default('posthorn.test'),
  home: z.string().min(1).default('.posthorn'),
  durable: z.boolean().default(false),
});

/** Any Region that can receive would do; nothing leaves this machine. */
const region = 'us-east-1';

/** Reads the command line; a wrong option is an `Error` that says what is allowed. */
export function readOptions(args: string[]): z.output<typeof options> {
  const text = { type: 'string' } as const;
  const shape = {
    port: text,
    'smtp-port': text,
    'dns-port': text,
    domain: text,
    home: text,
    durable: { type: 'boolean' },
  } as const;
  try {
    return options.parse(parseArgs({ args, options: shape, strict: true }).values);
  } catch (error) {
    const said =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n')
        : (error as Error).message;
    throw new Error(`${said}\n\n${usage}`, { cause: error });
  }
}

/**
 * Runs the whole cloud until SIGINT or SIGTERM: starts it, gets a first key through the operator's door, writes
 * `<home>/local.json` (mode 0600) and says what to paste.
 */
export async function serve(
  args: string[],
  app: App,
  print: (line: string) => void = console.log,
): Promise<void> {
  if (args.includes('--help')) return print(usage);
  const { home: folder, domain, durable, port: wanted, ...ports } = readOptions(args);
  const home = resolve(folder);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const remembered = await rememberedKey(home, domain);
  const api = wanted === 0 ? await freePort() : wanted;
  const { template, stackName } = app.synthesize({
    mailDomain: domain,
    publicOrigins: [`http://127.0.0.1:${api}`],
  });
  const cloud = await startCloud({
    ...{ template, stackName, home, domain, durable, print, region, weather: calm, clock: new Clock() },
    ...{ port: api, smtpPort: ports['smtp-port'], dnsPort: ports['dns-port'] },
    code: { project: app.project },
  });
  const stopped = untilSignal(cloud, print);
  try {
    const first = remembered ?? (await app.firstOrganization(cloud));
    await writeLocalFile(home, {
      ...about(cloud),
      domain,
      ...first,
      operator: cloud.operator,
      pid: process.pid,
    });
    print(welcome(cloud, domain, home));
  } catch (error) {
    await cloud.stop();
    throw error;
  }
  await stopped;
}

const about = ({ api, aws, smtp, dns }: LocalCloud) => ({ api, aws, smtp, dns });

/** The key of an earlier start on this home, which is still good: its data is still there. */
async function rememberedKey(home: string, domain: string): Promise<FirstOrganization | undefined> {
  const earlier = await readLocalFile(home);
  if (earlier === undefined) return undefined;
  const { organization_id, key, domain: of } = earlier;
  if (of !== domain) throw new Error(`${home} is the home of ${of}; give --domain ${of}, or another --home`);
  return { organization_id, key };
}

async function readLocalFile(home: string): Promise<(FirstOrganization & { domain: string }) | undefined> {
  try {
    return JSON.parse(await readFile(join(home, 'local.json'), 'utf8')) as FirstOrganization & {
      domain: string;
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(
      `${join(home, 'local.json')} cannot be read; move it away to get a new organization and key`,
      { cause: error },
    );
  }
}

/** Whole or not at all: a reader never sees half a file. */
async function writeLocalFile(home: string, content: object): Promise<void> {
  const path = join(home, 'local.json');
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function untilSignal(cloud: LocalCloud, print: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      print('Stopping.');
      cloud.stop().then(resolve, reject);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  });
}

const welcome = ({ api, smtp, dns, aws }: LocalCloud, domain: string, home: string): string => `
Posthorn is running.
  HTTP API   ${api}/v0
  SMTP       ${smtp.host}:${smtp.port}
  DNS        ${dns.host}:${dns.port}
  AWS        ${aws}
  keys       ${join(home, 'local.json')}

Try it in another terminal, in this folder:
  npx posthorn inboxes create --username otter
  npx posthorn send-test --to otter@${domain} --subject "Hello" --text "Is anybody there?"
  npx posthorn messages list otter@${domain}

Stop it with Ctrl-C.`;
