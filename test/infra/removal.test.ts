import { describe, expect, it } from 'vitest';
import { synthesize } from '../../lib/infra/synthesize.ts';
import { idOf, type Template } from './role-statements.ts';

const template = synthesize({ mailDomain: 'mail.acme.io', quarantineDays: 7, bundle: false })
  .template as Template;
const the = (type: string, start: string) => {
  const id = idOf(template, type, start);
  return { id, ...template.Resources[id]!.Properties };
};
const fn = the('AWS::Lambda::Function', 'removal');
const mapping = the('AWS::Lambda::EventSourceMapping', 'removal');

describe('remove-inbox', () => {
  it('knows where the mail is, and how long an address rests', () => {
    expect(fn.Environment.Variables).toEqual({
      TABLE_NAME: { Ref: idOf(template, 'AWS::DynamoDB::GlobalTable') },
      BUCKET_NAME: { Ref: idOf(template, 'AWS::S3::Bucket', 'store') },
      QUARANTINE_DAYS: '7',
    });
  });

  it('has a quarter of an hour for a step, and then five minutes before the step is given to another', () => {
    const [queue] = mapping.EventSourceArn['Fn::GetAtt'];
    expect(queue).toMatch(/^workremovals[0-9A-F]{8}$/);
    expect([fn.Timeout, template.Resources[queue]!.Properties.VisibilityTimeout]).toEqual([15 * 60, 20 * 60]);
  });

  it('takes one removal at a time, five at once, so that mail finds room in the table', () => {
    expect(mapping).toMatchObject({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 5 } });
  });
});
