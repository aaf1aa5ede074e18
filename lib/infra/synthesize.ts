import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, DefaultStackSynthesizer, type StackProps } from 'aws-cdk-lib';
import { type Config, configFrom, type Settings } from './config.ts';
import { MailroomStack } from './mailroom-stack.ts';
import { bundleContext } from './node-function.ts';

export interface SynthesizeOptions extends Partial<Omit<Settings, 'mailDomain' | 'stage'>> {
  mailDomain: string;
  stage?: string;
  /** Whether functions are bundled; without it their assets are the source folders. */
  bundle: boolean;
  /** Folder to leave the assembly in; without it only the template remains. */
  outdir?: string;
  /** For the local cloud: stage `local`, with a hosted zone for the mail domain. */
  local?: boolean;
  /** Inspects the app while it is synthesized, CDK's own template validation too (adds seconds). */
  inspect?: (app: App) => void;
}

export interface Synthesized {
  template: Record<string, any>;
  stackName: string;
  /** Folder of the cloud assembly (template, asset manifest, assets): `outdir`. */
  assembly: string | undefined;
}

/** The template of a configuration, made in this process. Throws what `configFrom` throws. */
export function synthesize({ bundle, outdir, local, inspect, ...settings }: SynthesizeOptions): Synthesized {
  const config = configFrom(local ? { stage: 'local', hostedZoneId: 'Z0LOCAL', ...settings } : settings);
  const folder = outdir ?? mkdtempSync(join(tmpdir(), 'posthorn-synth-'));
  try {
    const app = new App({
      outdir: folder,
      analyticsReporting: false,
      builtinCloudFormationValidation: inspect !== undefined,
      context: {
        [bundleContext]: bundle ? 'on' : 'off',
        // Names the folder of each bundle in the template, as the CDK command line does too.
        'aws:cdk:enable-asset-metadata': true,
        '@aws-cdk/core:validateAgainstDefaultRules': true,
        'aws:cdk:disable-stack-trace': inspect === undefined,
      },
    });
    inspect?.(app);
    deploy(app, config);
    const { template } = app.synth().getStackByName(config.stackName);
    return { template, stackName: config.stackName, assembly: outdir };
  } finally {
    if (outdir === undefined) rmSync(folder, { recursive: true });
  }
}

/** Puts the stack of a configuration into an app. */
export function deploy(app: App, config: Config): MailroomStack {
  const { account, region, deletionProtection, stage } = config;
  const props = {
    env: { ...(account && { account }), ...(region && { region }) },
    terminationProtection: deletionProtection,
    // The rule that checks the bootstrap stack means nothing where there is none.
    synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: stage !== 'local' }),
  };
  // The class and its own interface disagree under exactOptionalPropertyTypes.
  return new MailroomStack(app, config, props as StackProps);
}
