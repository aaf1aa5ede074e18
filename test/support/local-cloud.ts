import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstOrganization } from '../../lib/cli/first-organization.ts';
import { Clock } from '../../lib/local/clock.ts';
import { freePort } from '../../lib/local/free-port.ts';
import { startCloud, type LocalCloud } from '../../lib/local/start.ts';
import { calm, type Weather } from '../../lib/local/weather.ts';
import { createClient, type Client } from '../../lib/sdk/client.ts';
import { assembly, domain, origin } from './assembly.ts';
import { project } from './posthorn-process.ts';

export type Resources = Record<string, { Type: string; Properties: any; Metadata?: any }>;

export interface OpenOptions {
  /** Changes the synthesized template before it is deployed. */
  edit?: (resources: Resources) => void;
  /** Runs the sources, as `npm start` does, and not the bundles. */
  sources?: true;
  weather?: Weather;
  /** Kept when the cloud closes; a temporary one by default. */
  home?: string;
  /** A home to start from a copy of. */
  from?: string | undefined;
  smtpPort?: number;
  dnsPort?: number;
  port?: number;
}

/** A local cloud in this process, in a home of its own, that runs the template and the bundles of today's sources. */
export interface OpenCloud {
  cloud: LocalCloud;
  /** Every line for the person at the terminal. */
  printed: string[];
  /** A client of a new organization; no repeats, so that a failed call is seen. */
  client(): Promise<Client>;
  close(): Promise<void>;
}

export { domain };

export async function openCloud(options: OpenOptions = {}): Promise<OpenCloud> {
  const { edit, weather = calm, smtpPort = 0, dnsPort = 0 } = options;
  const home =
    options.home ?? (await mkdtemp(join(process.env['POSTHORN_TEST_HOMES'] ?? tmpdir(), 'posthorn-')));
  if (options.from !== undefined) await cp(options.from, home, { recursive: true });
  const removeHome = async () => {
    if (options.home === undefined) await rm(home, { recursive: true });
  };
  const port = options.port ?? (await freePort());
  const { template, stackName, folder } = await assembly();
  const own = JSON.parse(JSON.stringify(template).replaceAll(origin, `http://127.0.0.1:${port}`));
  // What sings all the time would be in the way of all others.
  resourceOf(own.Resources, 'AWS::Events::Rule', 'canaryschedule').Properties.State = 'DISABLED';
  edit?.(own.Resources);
  const printed: string[] = [];
  const print = (line: string) => void printed.push(line);
  const clock = new Clock();
  const cloud = await startCloud({
    ...{
      template: own,
      stackName,
      home,
      port,
      smtpPort,
      dnsPort,
      domain,
      region: 'us-east-1',
      durable: false,
    },
    ...{
      clock,
      weather,
      code: { project, bundles: options.sources ? undefined : folder },
      print,
      verbose: false,
    },
  }).catch(async (error: Error) => {
    await removeHome();
    throw Object.assign(error, { printed });
  });
  return {
    cloud,
    printed,
    async client() {
      const { key } = await firstOrganization(cloud);
      return createClient({ baseUrl: cloud.api, key, retries: 0, now: () => clock.now() });
    },
    async close() {
      await cloud.stop();
      await removeHome();
    },
  };
}

/** The one resource of a type whose logical id begins so. */
export function resourceOf(resources: Resources, type: string, prefix: string) {
  const found = Object.entries(resources).filter(([id, { Type }]) => Type === type && id.startsWith(prefix));
  if (found.length !== 1) throw new Error(`${found.length} resources ${prefix}… of type ${type}`);
  const [[logicalId, resource]] = found as [[string, Resources[string]]];
  return { logicalId, ...resource };
}
