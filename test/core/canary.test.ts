import { beforeEach, describe, expect, it } from 'vitest';
import { operatorOrganizationId } from '../../lib/contract/organization.ts';
import { hearCanary } from '../../lib/core/hear-canary.ts';
import type { Provision, ProvisionOutcome } from '../../lib/core/ports.ts';
import { canarySubject, sendCanary } from '../../lib/core/send-canary.ts';
import { mailDomain } from '../support/mail-samples.ts';
import { counting } from '../support/memory-ports.ts';

const start = Date.parse('2026-01-31T12:00:00.000Z');
const address = `canary@${mailDomain}`;

describe('the canary that is sent', () => {
  let there: string | undefined;
  let provisioned: Provision[];
  let outcome: ProvisionOutcome;
  let sent: { from: string; to: string; subject: string }[];
  let send: ReturnType<typeof sendCanary>;
  beforeEach(() => {
    [there, provisioned, outcome, sent] = [undefined, [], 'created', []];
    let ensured = false;
    send = sendCanary({
      inboxes: {
        holders: async (addresses) =>
          new Map(addresses.flatMap((one) => (there ? [[one, { organization_id: there } as never]] : []))),
        async provision(provision) {
          expect(ensured).toBe(true);
          provisioned.push(provision);
          return outcome;
        },
      },
      ensureOperatorMailroom: async () => void (ensured = true),
      sendMail: async (mail) => void sent.push(mail),
      mailDomain,
      now: () => start,
      ulid: counting(),
    });
  });

  it('goes to itself, and says when it was sent', async () => {
    there = operatorOrganizationId;
    await send();
    expect(provisioned).toEqual([]);
    expect(sent).toMatchObject([{ from: address, to: address, subject: 'Canary 2026-01-31T12:00:00.000Z' }]);
  });

  it('does not write to an inbox that somebody else had under this name before', async () => {
    there = 'org_tenant';
    await expect(send()).rejects.toThrow('is an inbox of org_tenant');
    expect(sent).toEqual([]);
  });

  it('has its inbox made, which is the operator’s and keeps a day', async () => {
    await send();
    expect(provisioned).toMatchObject([
      {
        inbox: { organization_id: operatorOrganizationId, inbox_id: address, retention_days: 1 },
        event: { event_type: 'inbox.created', inbox_id: address },
        due: [{ work: { kind: 'retain-mail', organization_id: operatorOrganizationId } }],
        deed: { line: { action: 'inboxes.create', principal: { kind: 'system' } } },
      },
    ]);
    expect(provisioned[0]!.due![0]!.work).toMatchObject({ uid: provisioned[0]!.inbox.uid });
    expect(sent).toHaveLength(1);
  });

  it('goes also when somebody else made the inbox meanwhile, and not when nobody can', async () => {
    outcome = { taken_by: operatorOrganizationId };
    await send();
    expect(sent).toHaveLength(1);
    for (const other of [{ taken_by: 'org_other' }, 'organization_suspended'] as const) {
      outcome = other;
      await expect(send()).rejects.toThrow(/cannot have its inbox/);
    }
    outcome = 'organization_suspended';
    await expect(send()).rejects.toThrow('organization_suspended');
    expect(sent).toHaveLength(1);
  });
});

describe('the canary that is heard', () => {
  const hear = async (event: { from?: string; subject?: string }, now = start) => {
    const delays: number[] = [];
    await hearCanary({ mailDomain, now: () => now, heard: (delay) => void delays.push(delay) })(event);
    return delays;
  };

  it('says how long it took', async () => {
    const mail = { from: address, subject: canarySubject(start - 2345) };
    expect(await hear(mail)).toEqual([2345]);
    expect(await hear(mail, start - 2400)).toEqual([0]);
  });

  it.each([
    ['another sender', { from: `eve@${mailDomain}`, subject: canarySubject(start) }],
    ['no subject', { from: address }],
    ['another subject', { from: address, subject: 'Canary yellow' }],
    ['a subject around it', { from: address, subject: `Re: ${canarySubject(start)}` }],
    ['a time long ago', { from: address, subject: canarySubject(start - 25 * 3600_000) }],
    ['a time to come', { from: address, subject: canarySubject(start + 25 * 3600_000) }],
  ])('is none with %s', async (_, event) => {
    expect(await hear(event)).toEqual([]);
  });
});
