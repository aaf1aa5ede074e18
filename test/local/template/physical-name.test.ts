import { describe, expect, it } from 'vitest';
import { physicalName } from '../../../lib/local/template/physical-name.ts';

describe('physical names', () => {
  it('stay the same for a home and differ between homes', () => {
    const name = physicalName('posthorn', 'MailQueue', 'AWS::SQS::Queue', 'seed');
    expect(name).toMatch(/^posthorn-MailQueue-[A-Z2-7]{12}$/);
    expect(physicalName('posthorn', 'MailQueue', 'AWS::SQS::Queue', 'seed')).toBe(name);
    expect(physicalName('posthorn', 'MailQueue', 'AWS::SQS::Queue', 'other')).not.toBe(name);
  });

  it('keep to the limit of the service and their ending', () => {
    const long = 'L'.repeat(200);
    const limits: [type: string, max: number][] = [
      ['AWS::S3::Bucket', 63],
      ['AWS::Lambda::Function', 64],
      ['AWS::IAM::Role', 64],
    ];
    for (const [type, max] of limits) expect(physicalName('posthorn', long, type, 's')).toHaveLength(max);
    const queue = physicalName('posthorn', long, 'AWS::SQS::Queue', 's', '.fifo');
    expect(queue).toHaveLength(80);
    expect(queue.endsWith('.fifo')).toBe(true);
  });

  it('of long logical ids differ where only their ends differ', () => {
    const id = 'L'.repeat(100);
    const names = ['1', '2'].map((end) => physicalName('posthorn', id + end, 'AWS::IAM::Role', 's'));
    expect(names[0]).not.toBe(names[1]);
  });

  it('of buckets are lower case', () => {
    expect(physicalName('Posthorn', 'MailBucket', 'AWS::S3::Bucket', 's')).toMatch(
      /^posthorn-mailbucket-[a-z2-7]{12}$/,
    );
  });
});
