import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CustomResources } from '../../../lib/local/template/custom-resource.ts';
import { StackState } from '../../../lib/local/template/stack-state.ts';

const stackId = 'arn:aws:cloudformation:us-east-1:000000000000:stack/posthorn/1';
type Event = Record<string, string> & { ResourceProperties: unknown; OldResourceProperties?: unknown };
type Reply = Record<string, unknown>;

/** Custom resources of a home whose function answers by `reply`; each construction is a start. */
function start(home: string, reply: (event: Event) => Reply | Error | string | undefined) {
  const events: Event[] = [];
  const printed: string[] = [];
  let put: (body: string) => void;
  const resources = new CustomResources({
    stackId,
    state: new StackState(home),
    openAnswerBox: () => ({
      url: 'http://127.0.0.1/x',
      answer: new Promise((done) => (put = done)),
      close: () => {},
    }),
    async invoke(_arn, event) {
      events.push(event as Event);
      const given = reply(event as Event);
      if (given instanceof Error) throw given;
      if (typeof given === 'string') put(given);
      const { StackId, RequestId, LogicalResourceId } = event as Event;
      if (typeof given === 'object') {
        put(JSON.stringify({ Status: 'SUCCESS', StackId, RequestId, LogicalResourceId, ...given }));
      }
    },
    print: (line) => printed.push(line),
  });
  return { resources, events, printed };
}

const token = 'arn:aws:lambda:us-east-1:000000000000:function:activate';
const properties = (more: object = {}) => ({ ServiceToken: token, RuleSet: 'r', ...more });

describe('custom resources', () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'posthorn-'))));

  it('are created on the first start with the event CloudFormation sends', async () => {
    const { resources, events } = start(home, () => ({ PhysicalResourceId: 'p', Data: { Active: 'yes' } }));
    const deployed = await resources.deploy(
      'Activate',
      'Custom::Activate',
      properties({ On: true, Retries: 3 }),
    );
    expect(deployed).toEqual({ ref: 'p', attributes: { Active: 'yes' } });
    expect(events).toEqual([
      {
        RequestType: 'Create',
        ServiceToken: token,
        ResponseURL: 'http://127.0.0.1/x',
        StackId: stackId,
        RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        LogicalResourceId: 'Activate',
        ResourceType: 'Custom::Activate',
        // CloudFormation makes strings of all scalars.
        ResourceProperties: { ServiceToken: token, RuleSet: 'r', On: 'true', Retries: '3' },
      },
    ]);
  });

  it('are left alone by a second start, with what was answered at the first', async () => {
    await start(home, () => ({ PhysicalResourceId: 'p', Data: { A: '1' } })).resources.deploy(
      'X',
      'Custom::X',
      properties(),
    );
    const second = start(home, () => ({ PhysicalResourceId: 'q' }));
    expect(await second.resources.deploy('X', 'Custom::X', properties())).toEqual({
      ref: 'p',
      attributes: { A: '1' },
    });
    expect(second.events).toEqual([]);
  });

  it('are updated when their properties changed', async () => {
    await start(home, () => ({ PhysicalResourceId: 'p' })).resources.deploy('X', 'Custom::X', properties());
    const second = start(home, () => ({ PhysicalResourceId: 'p' }));
    await second.resources.deploy('X', 'Custom::X', properties({ RuleSet: 'other' }));
    expect(second.events).toEqual([
      expect.objectContaining({
        RequestType: 'Update',
        PhysicalResourceId: 'p',
        OldResourceProperties: properties(),
        ResourceProperties: properties({ RuleSet: 'other' }),
      }),
    ]);
  });

  it('are deleted in their old form when an update answers another physical id', async () => {
    await start(home, () => ({ PhysicalResourceId: 'p' })).resources.deploy('X', 'Custom::X', properties());
    const second = start(home, () => ({ PhysicalResourceId: 'q' }));
    await second.resources.deploy('X', 'Custom::X', properties({ RuleSet: 'other' }));
    expect(second.events.map((event) => [event['RequestType'], event['PhysicalResourceId']])).toEqual([
      ['Update', 'p'],
      ['Delete', 'p'],
    ]);
  });

  it('are deleted when they left the template, once', async () => {
    await start(home, () => ({ PhysicalResourceId: 'p' })).resources.deploy('X', 'Custom::X', properties());
    const second = start(home, () => ({}));
    await second.resources.removeAllBut(new Set());
    await second.resources.removeAllBut(new Set());
    expect(second.events.map((event) => event['RequestType'])).toEqual(['Delete']);
  });

  it('that cannot be deleted are named, and forgotten', async () => {
    await start(home, () => ({ PhysicalResourceId: 'p' })).resources.deploy('X', 'Custom::X', properties());
    const second = start(home, () => new Error('no such function'));
    await second.resources.removeAllBut(new Set());
    expect(second.printed).toEqual(['X left the template and was not deleted: no such function']);
  });

  const failures: [name: string, reply: Reply | Error | string | undefined, message: RegExp][] = [
    [
      'FAILED',
      { Status: 'FAILED', Reason: 'another set is active' },
      /refused the Create request: another set is active/,
    ],
    ['no answer', undefined, /ended without answering the Create request/],
    ['an exception', new Error('boom'), /boom/],
    ['no physical id', {}, /without a PhysicalResourceId/],
    ['another request id', { PhysicalResourceId: 'p', RequestId: 'x' }, /another RequestId/],
    [
      'an over-long answer',
      { PhysicalResourceId: 'p', Data: { a: 'x'.repeat(4096) } },
      /Response object is too long/,
    ],
    ['no JSON', 'ok', /JSON/],
  ];
  it.each(failures)('fail on %s and are created again by the next start', async (_name, reply, message) => {
    const first = start(home, () => reply);
    await expect(first.resources.deploy('X', 'Custom::X', properties())).rejects.toThrow(message);
    const second = start(home, () => ({ PhysicalResourceId: 'p' }));
    await second.resources.deploy('X', 'Custom::X', properties());
    expect(second.events.map((event) => event['RequestType'])).toEqual(['Create']);
  });
});
