import { App } from 'aws-cdk-lib';
import { configFromContext } from '../lib/infra/config.ts';
import { inspect } from '../lib/infra/inspection.ts';
import { deploy } from '../lib/infra/synthesize.ts';

const app = new App({ analyticsReporting: false });
try {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  const given = { ...(account && { account }), ...(region && { region }), ...app.node.getAllContext() };
  inspect(app);
  deploy(app, configFromContext(given));
  app.synth();
} catch (error) {
  // A sentence, not a stack trace: the message says what is wrong and what is allowed.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
