import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { ResourceType } from '../../../lib/local/cloud.ts';
import { CustomResources } from '../../../lib/local/template/custom-resource.ts';
import { deploy } from '../../../lib/local/template/deploy.ts';
import { StackState } from '../../../lib/local/template/stack-state.ts';
import { parseTemplate } from '../../../lib/local/template/template.ts';
import { place } from './scope-of.ts';

/** Deploys with one known type, Test::Thing, and says in which order its resources came. */
async function deployed(template: object) {
  const order: string[] = [];
  const thing: ResourceType = {
    type: 'Test::Thing',
    properties: z.strictObject({
      Name: z.string().optional(),
      Nested: z.strictObject({ Count: z.number() }).optional(),
      Bad: z.boolean().optional(),
      Any: z.unknown().optional(),
    }),
    deploy({ logicalId, properties, physicalName }) {
      if ((properties as { Bad?: boolean }).Bad) throw new Error('the service says no');
      order.push(logicalId);
      return { ref: physicalName, attributes: { Arn: `arn:${logicalId}` } };
    },
  };
  const state = new StackState(mkdtempSync(join(tmpdir(), 'posthorn-')));
  const none = () => {
    throw new Error('no custom resource here');
  };
  const customResources = new CustomResources({
    stackId: place.stackId,
    state,
    openAnswerBox: none,
    invoke: none,
    print: none,
  });
  const deployment = { place, seed: 's', resourceTypes: [thing], customResources, inspect: () => {} };
  return { order, ...(await deploy(parseTemplate(template), deployment)) };
}

const thing = (Properties: object = {}, more: object = {}) => ({ Type: 'Test::Thing', Properties, ...more });

describe('deploy', () => {
  it('deploys what is referred to first, by Ref, GetAtt, Sub and DependsOn', async () => {
    const { order, outputs } = await deployed({
      Resources: {
        A: thing({ Name: { Ref: 'B' } }),
        B: thing({ Name: { 'Fn::Join': ['', ['x', { 'Fn::GetAtt': ['C', 'Arn'] }]] } }),
        C: thing({ Name: { 'Fn::Sub': ['${D.Arn}${x}', { x: { Ref: 'E' } }] } }),
        D: thing({}, { DependsOn: ['F'] }),
        E: thing(),
        F: thing(),
      },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['A', 'Arn'] } } },
    });
    expect(order).toEqual(['F', 'D', 'E', 'C', 'B', 'A']);
    expect(outputs).toEqual({ Arn: 'arn:A' });
  });

  it('leaves out what its condition leaves out', async () => {
    const { order, outputs } = await deployed({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: {
        A: thing({}, { Condition: 'Never' }),
        B: thing({ Any: { 'Fn::If': ['Never', { Ref: 'A' }, 1] } }),
      },
      Outputs: { A: { Condition: 'Never', Value: { Ref: 'A' } } },
    });
    expect(order).toEqual(['B']);
    expect(outputs).toEqual({});
  });

  const refused: [name: string, template: object, message: RegExp][] = [
    [
      'a type',
      { Resources: { X: { Type: 'AWS::Athena::NamedQuery' } } },
      /^Resources\.X: .*AWS::Athena::NamedQuery is not known/,
    ],
    [
      'a property',
      { Resources: { X: thing({ Colour: 1 }) } },
      /^Resources\.X .*Resources\.X\.Properties\.Colour: is not known/,
    ],
    [
      'a nested property',
      { Resources: { X: thing({ Nested: { Count: 1, More: 1 } }) } },
      /Resources\.X\.Properties\.Nested\.More: is not known/,
    ],
    [
      'a wrong value',
      { Resources: { X: thing({ Nested: { Count: 'one' } }) } },
      /Resources\.X\.Properties\.Nested\.Count: /,
    ],
    [
      'an intrinsic',
      { Resources: { X: thing({ Any: [{ 'Fn::GetAZs': '' }] }) } },
      /Resources\.X\.Properties\.Any\.0: .*Fn::GetAZs/,
    ],
    ['a name', { Resources: { X: thing({ Any: { Ref: 'Y' } }) } }, /Resources\.X\.Properties: refers to Y/],
    [
      'a dependency',
      { Resources: { X: thing({}, { DependsOn: 'Y' }) } },
      /Resources\.X\.DependsOn: there is no resource Y/,
    ],
    [
      'an attribute of a resource',
      { Resources: { X: thing({}, { UpdatePolicy: {} }) } },
      /^Resources\.X\.UpdatePolicy: /,
    ],
    ['a section', { Resources: {}, Hooks: {} }, /^Hooks: /],
    ['a rule', { Resources: {}, Rules: { Mine: {} } }, /^Rules\.Mine: /],
    [
      'what the service refuses',
      { Resources: { X: thing({ Bad: true }) } },
      /^Resources\.X \(Test::Thing\): the service says no/,
    ],
    [
      'a circle',
      { Resources: { X: thing({ Any: { Ref: 'Y' } }), Y: thing({ Any: { 'Fn::Sub': '${X}' } }) } },
      /depends on itself: X → Y → X/,
    ],
  ];
  it.each(refused)('refuses %s and says where', async (_name, template, message) => {
    await expect(deployed(template)).rejects.toThrow(message);
  });

  it('deploys nothing when a later type is unknown', async () => {
    const touched: string[] = [];
    const template = parseTemplate({ Resources: { A: thing(), B: { Type: 'AWS::Nope' } } });
    const type: ResourceType = {
      type: 'Test::Thing',
      properties: z.unknown(),
      deploy: ({ logicalId }) => ({ ref: String(touched.push(logicalId)) }),
    };
    const customResources = undefined as never;
    await expect(
      deploy(template, { place, seed: 's', resourceTypes: [type], customResources, inspect: () => {} }),
    ).rejects.toThrow('Resources.B');
    expect(touched).toEqual([]);
  });

  it("passes over CDK's bootstrap parameter and rule, metadata and alarms", async () => {
    const { order } = await deployed({
      Parameters: { BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/x' } },
      Rules: { CheckBootstrapVersion: { Assertions: [] } },
      Resources: {
        CDKMetadata: { Type: 'AWS::CDK::Metadata', Properties: { Analytics: 'v2' } },
        Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { Name: { 'Fn::GetAtt': ['A', 'Arn'] } } },
        A: thing(),
      },
    });
    expect(order).toEqual(['A']);
  });
});
