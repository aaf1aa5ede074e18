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

  it.each(Object.keys(waysBack))('of %s have a section of the runbook that names the command', (name) => {
    const [, after] = readFileSync('docs/runbook.md', 'utf8').split(`\n## ${name}-dead-letters\n`);
    expect(after?.split('\n## ')[0]).toContain(`npx posthorn redrive ${name}`);
  });
});
