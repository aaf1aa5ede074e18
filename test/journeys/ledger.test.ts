import {
  DeleteItemCommand,
  PutItemCommand,
  ScanCommand,
  type ScanCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { encodeTime } from 'ulid';
import { describe, expect, it } from 'vitest';
import type { ShownLine } from '../../lib/contract/ledger.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { verifyWholeLedger } from '../../lib/sdk/verify-ledger.ts';
import { sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();

const linesOf = async (client: Client): Promise<ShownLine[]> => {
  const lines: ShownLine[] = [];
  for await (const line of client.audit.all({ ascending: true })) lines.push(line);
  return lines;
};

const verify = (organization_id: string, client: Client) =>
  verifyWholeLedger({
    organization_id,
    lines: client.audit.all({ limit: 7, ascending: true }),
    seals: client.audit.allSeals({ limit: 2 }),
    // As somebody does who comes when every line had the time to be sealed.
    now: () => mailroom.cloud.clock.now() + 11 * 60_000,
  });

/** Waits until every line has its seal, but for one. */
async function sealed(organization_id: string, client: Client, but?: string) {
  return mailroom.eventually(async () => {
    const ids = new Set<string>();
    for await (const seal of client.audit.allSeals()) for (const id of seal.line_ids) ids.add(id);
    const open = (await linesOf(client)).filter(({ line_id }) => line_id !== but && !ids.has(line_id));
    if (open.length > 0) throw new Error(`${open.length} lines have no seal`);
    return verify(organization_id, client);
  });
}

/** Somebody with the operator's rights, past the API. */
async function rowOf(line_id: string): Promise<Record<string, any>> {
  let ExclusiveStartKey: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const page: ScanCommandOutput = await mailroom
      .dynamodb()
      .send(new ScanCommand({ TableName: mailroom.tableName, ExclusiveStartKey }));
    const found = (page.Items ?? [])
      .map((item) => unmarshall(item))
      .find((row) => row['line_id'] === line_id);
    if (found !== undefined) return found;
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  throw new Error(`${line_id} has no row`);
}
const put = (row: Record<string, unknown>) =>
  mailroom.dynamodb().send(new PutItemCommand({ TableName: mailroom.tableName, Item: marshall(row) }));
const remove = ({ pk, sk }: Record<string, any>) =>
  mailroom
    .dynamodb()
    .send(new DeleteItemCommand({ TableName: mailroom.tableName, Key: marshall({ pk, sk }) }));

async function busyOrganization() {
  const { organization_id, client } = await mailroom.organization();
  const inbox = await mailroom.inbox(client);
  await client.inboxes.update(inbox, { display_name: 'Ada' });
  await client.inboxes.messages.list(inbox);
  await expect(client.inboxes.messages.get(inbox, 'msg_01k0000000000000000000000z')).rejects.toMatchObject({
    code: 'not_found',
  });
  return { organization_id, client, inbox };
}

describe('the ledger', () => {
  it('has a line of each change and each read of mail, denied ones too, and none of secrets or addresses', async () => {
    const { organization_id, client, inbox } = await busyOrganization();
    const modest = await mailroom.clientWith({ message_read: true }, organization_id);
    await expect(modest.inboxes.update(inbox, { display_name: 'Eve' })).rejects.toMatchObject({
      status: 403,
    });
    const lines = await linesOf(client);
    const told = lines.map(({ action, outcome, code }) => [action, outcome, code]);
    expect(told).toContainEqual(['inboxes.create', 'allowed', undefined]);
    expect(told).toContainEqual(['inboxes.update', 'allowed', undefined]);
    expect(told).toContainEqual(['inboxes.messages.list', 'allowed', undefined]);
    expect(told).toContainEqual(['inboxes.messages.get', 'denied', 'not_found']);
    expect(
      told.filter(([action, outcome]) => action === 'inboxes.update' && outcome === 'denied'),
    ).toHaveLength(1);
    expect(told.filter(([action]) => action === 'inboxes.get')).toEqual([]);
    for (const line of lines) expect(line.organization_id).toBe(organization_id);
    const bare = lines.map(({ personal: _, ...line }) => line);
    expect(JSON.stringify(bare)).not.toContain(inbox);
    const denied = await client.audit.list({ outcome: 'denied' });
    expect(denied.lines).toHaveLength(2);
    await expect(modest.audit.list()).rejects.toMatchObject({ status: 403 });
  });

  it('is sealed within minutes, verifies, and its seals are a chain that goes on', async () => {
    const { organization_id, client, inbox } = await busyOrganization();
    const first = await sealed(organization_id, client);
    expect(first).toMatchObject({ findings: [], head: { number: expect.any(Number) } });
    expect(first.lines).toBeGreaterThanOrEqual(4);
    await client.inboxes.update(inbox, { display_name: 'Grace' });
    const second = await sealed(organization_id, client);
    expect(second.findings).toEqual([]);
    expect(second.seals).toBeGreaterThan(first.seals);
  });

  it('tells who altered, removed or inserted a line past the API', async () => {
    const { organization_id, client, inbox } = await busyOrganization();
    await sealed(organization_id, client);
    const [one, other] = await linesOf(client);
    const row = await rowOf(one!.line_id);

    await put({ ...row, outcome: 'failed' });
    const altered = await verify(organization_id, client);
    expect(altered.findings).toMatchObject([
      { kind: 'altered', line_ids: expect.arrayContaining([one!.line_id]) },
    ]);

    await remove(row);
    const removed = await verify(organization_id, client);
    expect(removed.findings).toMatchObject([{ kind: 'removed', line_ids: [one!.line_id] }]);

    // Written now, with a time of half an hour ago: no seal is made for it.
    const time = mailroom.cloud.clock.now() - 30 * 60_000;
    const sk = `${encodeTime(time, 10).toLowerCase()}0000000000000000`;
    const sample = await rowOf(other!.line_id);
    await put({ ...sample, sk, line_id: `lin_${sk}`, time: new Date(time).toISOString() });
    // What comes after it in the stream is sealed: so it was passed over.
    await client.inboxes.update(inbox, { display_name: 'Grace' });
    const inserted = await sealed(organization_id, client, `lin_${sk}`);
    expect(inserted.findings).toEqual([...removed.findings, { kind: 'inserted', line_ids: [`lin_${sk}`] }]);
  });

  it('forgets what is personal when the operator says so, and verifies as before', async () => {
    const { organization_id, client } = await busyOrganization();
    await sealed(organization_id, client);
    const { audit } = mailroom.operator;
    const before = (await audit.list(organization_id)).lines;
    expect(before.some(({ personal }) => personal?.source_ip !== undefined)).toBe(true);
    const { erased } = await audit.erase(organization_id, { all: true });
    expect(erased).toBeGreaterThan(0);
    const old = new Set(before.map(({ line_id }) => line_id));
    const after = (await audit.list(organization_id)).lines.filter(({ line_id }) => old.has(line_id));
    expect(after.map(({ personal }) => personal)).toEqual(before.map(() => undefined));
    expect((await sealed(organization_id, client)).findings).toEqual([]);
    expect((await audit.list(organization_id, { action: 'operator.audit.erase' })).count).toBe(1);
  });
});
