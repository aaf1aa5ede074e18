import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Mailroom } from './mailroom.ts';

type Row = Record<string, any>;

/** Everything a mailroom holds: rows by their keys, objects of mail, messages in queues. */
export interface Inventory {
  rows: Map<string, Row>;
  objects: string[];
  queued: number;
}

export async function takeStock(mailroom: Mailroom): Promise<Inventory> {
  const rows = new Map<string, Row>();
  const client = mailroom.dynamodb();
  let ExclusiveStartKey: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({ TableName: mailroom.tableName, ConsistentRead: true, ExclusiveStartKey }),
    );
    for (const item of page.Items ?? []) {
      const row = unmarshall(item);
      rows.set(`${row['pk']} ${row['sk']}`, row);
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return {
    rows,
    objects: [...(await mailroom.objects('')), ...(await mailroom.objects('org_'))],
    queued: await mailroom.queued(() => true),
  };
}

/** Rows that outlive what they tell of, by kind; `undefined`: an orphan. */
export function kindOf({ pk, sk, state, expires, uid }: Row): string | undefined {
  if (pk.startsWith('ADDR#')) return state === 'quarantined' && uid === undefined ? 'quarantine' : undefined;
  const tail = /^O#org_[^#]+(#.*)?$/.exec(pk)?.[1] ?? '';
  if (/^#A#[0-9-]+$/.test(tail)) return 'line';
  if (tail === '#S') return 'seal';
  if (tail === '#X') return 'exported';
  if (tail === '#W') return 'personal';
  if (expires === undefined) return undefined;
  if (tail.endsWith('#E')) return 'event';
  if (pk.startsWith('KEY#')) return state === 'revoked' ? 'revoked key' : undefined;
  if (/^#H#wh_[^#]+$/.test(tail)) return 'delivery';
  if (/^NONCE#/.test(pk) || /^#(RATE|IDEM)#/.test(tail)) return 'call';
  if (pk.startsWith('LOST#')) return 'undeliverable';
  return pk === 'ORGS' && sk.startsWith('org_') ? 'deleted organization' : undefined;
}

/** What is there now and was not before, or is no more: rows that may outlive it by kind, and all else by name. */
export function compare(before: Inventory, after: Inventory) {
  const added = [...after.rows].filter(([name]) => !before.rows.has(name));
  const orphans = added.filter(([, row]) => kindOf(row) === undefined).map(([name]) => name);
  return {
    orphans,
    lost: [...before.rows].flatMap(([name, row]) =>
      after.rows.has(name) || row['expires'] !== undefined ? [] : [name],
    ),
    objects: after.objects.filter((key) => !before.objects.includes(key)),
    queued: after.queued,
    kinds: [...new Set(added.flatMap(([, row]) => kindOf(row) ?? []))].toSorted(),
  };
}
