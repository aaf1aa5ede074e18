import { DeleteItemCommand, paginateQuery, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { exportedKey, linePk, sealHeadKey, sealKey } from '../../lib/adapters/dynamo/keys.ts';
import { toLine } from '../../lib/adapters/dynamo/line-rows.ts';
import { exportedLedger } from '../../lib/cli/exported-ledger.ts';
import type { Line, Seal } from '../../lib/contract/ledger.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { verifyWholeLedger } from '../../lib/sdk/verify-ledger.ts';
import { sealAll } from '../support/ledger-samples.ts';
import { sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();
const bucketOf = () => mailroom.named('ledgerexportbucket');

const versionsOf = async (organization_id: string) => {
  const asked = { Bucket: bucketOf(), Prefix: `${organization_id}/` };
  const { Versions = [], DeleteMarkers = [] } = await mailroom
    .s3()
    .send(new ListObjectVersionsCommand(asked));
  expect(DeleteMarkers).toEqual([]);
  return Versions.map(({ Key, VersionId }) => ({ Key: Key!, VersionId: VersionId! }));
};
const exportedOf = (organization_id: string) =>
  Array.fromAsync(exportedLedger(mailroom.s3(), bucketOf(), organization_id));

const verify = (organization_id: string, client: Client, held = true) =>
  verifyWholeLedger({
    organization_id,
    lines: client.audit.all({ limit: 500, ascending: true }),
    seals: client.audit.allSeals({ limit: 500 }),
    ...(held && { exported: exportedLedger(mailroom.s3(), bucketOf(), organization_id) }),
    now: () => mailroom.cloud.clock.now() + 11 * 60_000,
  });

async function rowsOf(pk: string): Promise<Record<string, any>[]> {
  const rows: Record<string, any>[] = [];
  const query = {
    TableName: mailroom.tableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: marshall({ ':pk': pk }),
    ConsistentRead: true,
  };
  for await (const { Items = [] } of paginateQuery({ client: mailroom.dynamodb() }, query))
    rows.push(...Items.map((item) => unmarshall(item)));
  return rows;
}
const put = (row: Record<string, unknown>) =>
  mailroom.dynamodb().send(new PutItemCommand({ TableName: mailroom.tableName, Item: marshall(row) }));
const remove = (key: object) =>
  mailroom.dynamodb().send(new DeleteItemCommand({ TableName: mailroom.tableName, Key: marshall(key) }));

const sealsOf = async (organization_id: string): Promise<Seal[]> =>
  (await rowsOf(sealHeadKey(organization_id).pk))
    .filter(({ sk }) => sk !== 'HEAD')
    .map(({ pk: _pk, sk: _sk, v: _v, ...seal }) => seal as Seal);
const cursorOf = async (organization_id: string) => (await rowsOf(exportedKey(organization_id).pk))[0];

/** Waits until `check` passes; each hour starts the exporter. */
function whenExported(check: () => Promise<void>): Promise<void> {
  let checks = 0;
  return mailroom.eventually(async () => {
    if (++checks % 8 === 0) mailroom.cloud.clock.advance(3_600_000);
    await check();
  });
}

/** Once so many lines are sealed, and the exporter has told of them. */
const exported = (organization_id: string, lines: number): Promise<void> =>
  whenExported(async () => {
    const seals = await sealsOf(organization_id);
    expect(seals.flatMap(({ line_ids }) => line_ids).length).toBeGreaterThanOrEqual(lines);
    expect((await cursorOf(organization_id))?.['number']).toBe(seals.length);
  });
const lineCount = async (client: Client) => (await Array.fromAsync(client.audit.all())).length;

/** An organization with some lines, all of them exported. */
async function exportedOrganization() {
  const { organization_id, client } = await mailroom.organization();
  const inbox = await mailroom.inbox(client);
  const change = async (display_name: string) => {
    await client.inboxes.update(inbox, { display_name });
    await exported(organization_id, await lineCount(client));
  };
  await change('Ada');
  return { organization_id, client, change };
}
let kept: ReturnType<typeof exportedOrganization> | undefined;
/** The same one, for those that leave the table as it was. */
const sameOrganization = () => (kept ??= exportedOrganization());

describe('the export of the ledger', () => {
  it('holds every seal with its lines, in one object after the other, and the ledger verifies against it', async () => {
    const { organization_id, client, change } = await sameOrganization();
    await change('Grace');
    const there = await exportedOf(organization_id);
    expect(there.map(({ seal }) => seal)).toEqual(await sealsOf(organization_id));
    for (const { seal, lines } of there) expect(lines.map((line) => line?.line_id)).toEqual(seal.line_ids);
    const keys = (await versionsOf(organization_id)).map(({ Key }) => Key);
    expect(keys[0]).toBe(`${organization_id}/000000000001.ndjson`);
    const { findings, exported: count, seals } = await verify(organization_id, client);
    expect([findings, count]).toEqual([[], seals]);
  });

  it('is locked: nobody deletes it, hides it or shortens its time, not even past governance', async () => {
    const { organization_id } = await sameOrganization();
    const [version] = await versionsOf(organization_id);
    const at = { Bucket: bucketOf(), ...version! };
    const { VersionId: _, ...name } = at;
    const tomorrow = new Date(mailroom.cloud.clock.now() + 24 * 3600_000);
    const s3 = mailroom.s3();
    const tries = [
      s3.send(new DeleteObjectCommand(at)),
      s3.send(new DeleteObjectCommand({ ...at, BypassGovernanceRetention: true })),
      s3.send(new DeleteObjectCommand(name)),
      s3.send(
        new PutObjectRetentionCommand({
          ...at,
          Retention: { Mode: 'GOVERNANCE', RetainUntilDate: tomorrow },
          BypassGovernanceRetention: true,
        }),
      ),
      s3.send(
        new PutObjectRetentionCommand({
          ...at,
          Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date(tomorrow.getTime() + 4e12) },
        }),
      ),
    ];
    for (const result of await Promise.allSettled(tries))
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'AccessDenied' } });
    expect(await versionsOf(organization_id)).toContainEqual(version);
    const refused = mailroom.cloud.iam.refusals.splice(0).map(({ action }) => action);
    expect(new Set(refused)).toEqual(
      new Set(['s3:DeleteObjectVersion', 's3:DeleteObject', 's3:PutObjectRetention']),
    );
  });

  it('puts nothing twice, also when its row in the table is lost between the object and it', async () => {
    const { organization_id, client, change } = await sameOrganization();
    const before = await versionsOf(organization_id);
    const cursor = await cursorOf(organization_id);
    await remove(exportedKey(organization_id));
    await whenExported(async () => expect(await cursorOf(organization_id)).toEqual(cursor));
    expect(await versionsOf(organization_id)).toEqual(before);
    await change('Edsger');
    const after = await versionsOf(organization_id);
    expect(after.length).toBeGreaterThan(before.length);
    expect(new Set(after.map(({ Key }) => Key)).size).toBe(after.length);
    expect((await verify(organization_id, client)).findings).toEqual([]);
  });

  it('catches somebody with the operator’s rights who writes the whole chain anew', async () => {
    const { organization_id, client } = await exportedOrganization();
    const chain = await sealsOf(organization_id);
    const days = new Set((await Array.fromAsync(client.audit.all())).map(({ time }) => time.slice(0, 10)));
    const rows = (await Promise.all([...days].map((day) => rowsOf(linePk(organization_id, day))))).flat();
    const lines = new Map<string, Line>(rows.map((row) => [row['line_id'], toLine(row)]));
    const victim = rows.find(({ action }) => action === 'inboxes.update')!;
    const forgedRow = { ...victim, action: 'inboxes.get' };
    lines.set(victim['line_id'], toLine(forgedRow));
    const forged = sealAll(
      chain.map(({ line_ids }) => line_ids.map((id) => lines.get(id)!)),
      organization_id,
    );
    await put(forgedRow);
    for (const seal of forged) await put({ ...sealKey(organization_id, seal.number), v: 1, ...seal });
    const [head] = (await rowsOf(sealHeadKey(organization_id).pk)).filter(({ sk }) => sk === 'HEAD');
    await put({ ...head, hash: forged.at(-1)!.hash });

    // A line of the verification itself may be sealed meanwhile.
    expect((await verify(organization_id, client, false)).findings).toEqual([]);
    const { findings } = await verify(organization_id, client);
    expect(findings).toContainEqual({
      kind: 'exported',
      seal: chain.findIndex(({ line_ids }) => line_ids.includes(victim['line_id'])) + 1,
      reason: 'the ledger does not have these lines as they were exported',
      line_ids: [victim['line_id']],
    });
    // The exporter says so too, and its failure is what the alarm listens for.
    await whenExported(async () =>
      expect(mailroom.printed.join('\n')).toMatch(/the seal that was exported last is not there/),
    );
  });
});
