import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deadLettersTag, waysBack } from '../../lib/contract/dead-letters.ts';
import { synthesize } from '../../lib/infra/synthesize.ts';

const { template, stackName } = synthesize({ mailDomain: 'mail.acme.io', bundle: false });
const resources = Object.entries<any>(template['Resources']);
const queues = resources.filter(([, { Type }]) => Type === 'AWS::SQS::Queue');
const idOf = (arn: any): string => arn['Fn::GetAtt'][0];

/** Every member of this name in the template, however deep. */
function membersOf(value: unknown, name: string): any[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === name ? [inner] : []),
    ...membersOf(inner, name),
  ]);
}
const sources = (id: string) =>
  queues.filter(([, { Properties }]) => {
    const arn = Properties.RedrivePolicy?.deadLetterTargetArn;
    return arn !== undefined && idOf(arn) === id;
  });

/** Wherever AWS can be told to put what failed for good: queues, rules, mappings, functions. */
const targets = new Set([
  ...membersOf(template, 'deadLetterTargetArn').map(idOf),
  ...membersOf(template, 'DeadLetterConfig').map(({ Arn, TargetArn }) => idOf(Arn ?? TargetArn)),
  ...membersOf(template, 'OnFailure').map(({ Destination }) => idOf(Destination)),
]);
const tagged = new Map(
  queues.flatMap(([id, { Properties }]) => {
    const tag = Properties.Tags?.find(({ Key }: any) => Key === deadLettersTag);
    return tag === undefined ? [] : [[id, tag.Value as string] as const];
  }),
);

const functionOf = ({ FunctionName }: any): string =>
  template['Resources'][FunctionName.Ref].Metadata['posthorn:entry'].split('/')[1];
const mappings = resources
  .filter(([, { Type }]) => Type === 'AWS::Lambda::EventSourceMapping')
  .map(([, { Properties }]) => Properties);

const queueOf = ({ Dimensions }: any): string => Dimensions[0].Value['Fn::GetAtt'][0];

describe('dead letters', () => {
  it('each have a way back that `posthorn redrive` knows', () => {
    expect([...tagged.keys()].toSorted()).toEqual([...targets].toSorted());
    expect([...tagged.values()].toSorted()).toEqual(
      Object.keys(waysBack)
        .map((name) => `${stackName}/${name}`)
        .toSorted(),
    );
  });

  it.each([...tagged].map(([id, value]) => [value.split('/')[1]!, id] as const))(
    'of %s go back to one queue, or tell only of rows',
    (name, id) => {
      expect(sources(id)).toHaveLength(waysBack[name as keyof typeof waysBack] === 'move' ? 1 : 0);
    },
  );

  it('are named for the function that failed, whether a queue or a stream gave it its work', () => {
    const found = mappings.map((mapping) => {
      const queue = template['Resources'][idOf(mapping.EventSourceArn)].Properties.RedrivePolicy;
      const dead = queue?.deadLetterTargetArn ?? mapping.DestinationConfig.OnFailure.Destination;
      return [tagged.get(idOf(dead)), `${stackName}/${functionOf(mapping)}`];
    });
    expect(found.map(([tag]) => tag)).toEqual(found.map(([, name]) => name));
    expect(found).toHaveLength(Object.keys(waysBack).length);
  });

  it('are kept for 14 days, and nothing comes there before its fifth try', () => {
    for (const [id, { Properties }] of queues)
      expect([id, Properties]).toEqual([
        id,
        expect.objectContaining(
          tagged.has(id)
            ? { MessageRetentionPeriod: 14 * 86_400 }
            : { RedrivePolicy: expect.objectContaining({ maxReceiveCount: 5 }) },
        ),
      ]);
  });

  it('each ring the alarm that bears their name', () => {
    const alarms = resources.flatMap(([, { Type, Properties }]) =>
      Type === 'AWS::CloudWatch::Alarm' && Properties.MetricName === 'ApproximateNumberOfMessagesVisible'
        ? [[queueOf(Properties), Properties.AlarmDescription]]
        : [],
    );
    expect(alarms.map(([id, description]) => [id, description.split('#')[1]]).toSorted()).toEqual(
      [...tagged].map(([id, tag]) => [id, `${tag.split('/')[1]}-dead-letters`]).toSorted(),
    );
  });

  it.each(Object.keys(waysBack))('of %s have a section of the runbook that names the command', (name) => {
    const [, after] = readFileSync('docs/runbook.md', 'utf8').split(`\n## ${name}-dead-letters\n`);
    expect(after?.split('\n## ')[0]).toContain(`npx posthorn redrive ${name}`);
  });
});
