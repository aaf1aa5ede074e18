import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type App, Aspects } from 'aws-cdk-lib';
import { CfnQueue, CfnQueuePolicy } from 'aws-cdk-lib/aws-sqs';
import { afterAll, describe, expect, it } from 'vitest';
import { inspect } from '../../lib/infra/inspection.ts';
import { synthesize, type SynthesizeOptions } from '../../lib/infra/synthesize.ts';

const outdir = mkdtempSync(join(tmpdir(), 'posthorn-inspection-'));
afterAll(() => rmSync(outdir, { recursive: true }));

/** Synthesizes under inspection and returns what was found, by plugin. */
function findings(options: Partial<SynthesizeOptions>) {
  const folder = join(outdir, `${Math.random()}`);
  try {
    synthesize({ mailDomain: 'mail.acme.io', bundle: false, outdir: folder, inspect, ...options });
  } catch {
    // What made it fail stands in the report.
  }
  const { pluginReports } = JSON.parse(readFileSync(join(folder, 'validation-report.json'), 'utf8'));
  return pluginReports.flatMap(({ violations }: any) => violations.map(({ ruleName }: any) => ruleName));
}

describe("cdk-nag's AwsSolutions pack and CDK's own validation", { timeout: 60_000 }, () => {
  it('find nothing with every option on', () => {
    const everything = {
      hostedZoneId: 'Z0123456789ABC',
      alarmEmail: 'ops@acme.io',
      busSubscribers: ['111122223333'],
      canaryMinutes: 5,
      activateReceiving: 'adopt',
    } as const;
    expect(findings(everything)).toEqual([]);
  });

  it('are on: a queue without its policy and a property that does not exist are found', () => {
    const spoil = (app: App) => {
      inspect(app);
      Aspects.of(app).add({
        visit: (node) => {
          if (node instanceof CfnQueuePolicy) node.node.scope!.node.tryRemoveChild(node.node.id);
          if (node instanceof CfnQueue) node.addPropertyOverride('NoSuchProperty', 1);
        },
      });
    };
    const found = findings({ inspect: spoil }).join();
    expect(found).toMatch(/AwsSolutions-SQS4/);
    // CDK: property not in the schema of the resource.
    expect(found).toMatch(/F3002/);
  });
});

describe('bin/cloud.ts', () => {
  it('ends with one sentence when the configuration is wrong', async () => {
    const env = { ...process.env, CDK_CONTEXT_JSON: '{"mailDomain":"mail.acme.io","region":"eu-central-2"}' };
    const failed = await promisify(execFile)(process.execPath, ['bin/cloud.ts'], { env }).catch(
      (error) => error,
    );
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/region: SES does not receive mail there; allowed is one of: af-south-1, /);
    expect(failed.stderr).not.toMatch(/^ {4}at /m);
  });
});
