import type { Access, PolicyStatement, RoleCaller } from '../../lib/local/cloud.ts';
import { evaluate } from '../../lib/local/iam/evaluate.ts';

const place = { account: '000000000000', region: 'us-east-1', now: Date.parse('2026-01-31T12:00:00Z') };
const roleArn = 'arn:aws:iam::000000000000:role/one';
const caller: RoleCaller = { kind: 'role', roleArn, arn: roleArn, accessKeyId: 'ASIA' };

export type Template = { Resources: Record<string, { Type: string; Properties?: any }> };

/** The id of the one resource of this type whose id begins so. */
export function idOf({ Resources }: Template, type: string, start = ''): string {
  const found = Object.keys(Resources).filter((id) => Resources[id]!.Type === type && id.startsWith(start));
  if (found.length !== 1) throw new Error(`${found.length} of ${type} begin with ${start}`);
  return found[0]!;
}

/** The statements of each role, by its logical id without the hash; `arns` says what stands for which resource. */
export function rolesOf(
  { Resources }: Template,
  arns: Record<string, string>,
): Map<string, PolicyStatement[]> {
  const text = (value: any): string => {
    if (typeof value === 'string') return value;
    if ('Fn::Join' in value) return value['Fn::Join'][1].map(text).join(value['Fn::Join'][0]);
    const id: string = value['Ref'] ?? value['Fn::GetAtt'][0];
    return arns[id] ?? `arn:aws:other:::${id}`;
  };
  const of = (type: string) => Object.entries(Resources).filter(([, { Type }]) => Type === type);
  const policies = of('AWS::IAM::Policy').map(([, { Properties }]) => Properties);
  return new Map(
    of('AWS::IAM::Role').map(([id]) => [
      id.replace(/role[0-9A-F]{8}$/, ''),
      policies
        .filter(({ Roles }) => Roles.some(({ Ref }: { Ref: string }) => Ref === id))
        .flatMap(({ PolicyDocument }): PolicyStatement[] => PolicyDocument.Statement)
        .map((statement) => ({ ...statement, Resource: [statement.Resource].flat().map(text) })),
    ]),
  );
}

/** IAM's answer to a role with these statements. */
export const mayDo = (
  statements: PolicyStatement[],
  { action, resource, context = {} }: Pick<Access, 'action' | 'resource' | 'context'>,
  tags: Record<string, string> = {},
): boolean =>
  evaluate({ caller: { ...caller, tags }, action, resource, context }, statements, place).outcome ===
  'allowed';
