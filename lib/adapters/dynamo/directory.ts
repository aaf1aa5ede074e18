import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { InboxRef } from '../../contract/principal.ts';
import type { Organization } from '../../contract/organization.ts';
import type { Credential } from '../../core/ports.ts';
import type { Database, Row } from './client.ts';
import { toCredential } from './credential-rows.ts';
import { holderOf, toRef } from './address-rows.ts';
import { addressKey, credentialKey, inboxKey, organizationKey, podKey, type Key } from './keys.ts';
import { alive, getRow, getRows } from './rows.ts';

/** Characters of a name that is looked up; an address has 254. */
const longest = 320;
/** Credentials whose place is remembered, so that all of a call's rows are read at once. */
const mostPlaces = 2000;

interface Asked {
  keyid: string;
  inbox?: string;
  pod?: string;
}

interface Looked {
  credential?: Credential;
  organization?: Organization;
  inbox?: InboxRef;
  pod?: { pod_id: string };
}

/**
 * Who calls, the state of its organization, and the inbox and pod that are meant: one batch get where the place of
 * the credential is remembered, two where it is not, and one more for an inbox named by its uid. What was remembered only says which rows to read; what is
 * answered was read now. Each credential takes the same reads whether what it names is there or not.
 */
export const directory = (
  database: Database,
  now: () => number,
  inInbox: InInbox = (_, work) => work(database),
) => {
  const places = new Map<string, Place>();

  return {
    async lookUp(asked: Asked): Promise<Looked> {
      // What is longer than any of ours is nobody's; DynamoDB would refuse it as a key.
      if (asked.keyid.length > longest) return {};
      const wanted = { ...asked, ...trimmed(asked) };
      const known = places.get(asked.keyid);
      const rows = await read(database, wanted, known);
      const row = rows.get(nameOf(credentialKey(asked.keyid)));
      if (row === undefined || !alive(row, now())) return {};
      const credential = toCredential(row);
      const place = placeOf(credential);
      if (JSON.stringify(known) !== JSON.stringify(place)) {
        places.delete(asked.keyid);
        places.set(asked.keyid, place);
        if (places.size > mostPlaces) places.delete(places.keys().next().value as string);
        for (const [name, found] of await read(database, wanted, place)) rows.set(name, found);
      }
      const looked = lookedOf(rows, credential, place, wanted);
      const { inbox } = wanted;
      if (looked.credential === undefined || inbox === undefined || isAddress(inbox)) return looked;
      const found = await inInbox(place.organization_id, (mailbox) =>
        getRow(mailbox, inboxKey({ organization_id: place.organization_id, uid: inbox })),
      );
      return { ...looked, ...(found !== undefined && { inbox: toRef(found) }) };
    },

    /** A key that is in use says so about once an hour; one that is gone meanwhile is not brought back. */
    async touch({ keyid }: { keyid: string }, time: string): Promise<void> {
      try {
        await database.client.send(
          new UpdateCommand({
            TableName: database.tableName,
            Key: credentialKey(keyid),
            UpdateExpression: 'SET used_at = :time',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeValues: { ':time': time },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
  };
};

/** Reads what lies in an organization's inboxes, which the credentials of the lookups do not reach. */
type InInbox = <T>(organizationId: string, work: (database: Database) => Promise<T>) => Promise<T>;

/** Where a credential belongs. */
interface Place {
  organization_id: string;
  pod_id?: string;
  inbox?: { uid: string; inbox_id: string };
}

const placeOf = ({ organization_id, pod_id, inbox }: Credential): Place => ({
  organization_id,
  ...(pod_id !== undefined && { pod_id }),
  ...(inbox !== undefined && { inbox: { uid: inbox.uid, inbox_id: inbox.inbox_id } }),
});

const trimmed = ({ inbox, pod }: Asked) => ({
  ...(inbox !== undefined && { inbox: inbox.slice(0, longest) }),
  ...(pod !== undefined && { pod: pod.slice(0, longest) }),
});

const isAddress = (name: string): boolean => name.includes('@');

function keysOf({ keyid, inbox, pod }: Asked, place: Place | undefined): Key[] {
  const lookups = [
    credentialKey(keyid),
    ...(inbox !== undefined && isAddress(inbox) ? [addressKey(inbox.toLowerCase())] : []),
  ];
  if (place === undefined) return lookups;
  const { organization_id } = place;
  const pods = [place.pod_id, pod].filter((id) => id !== undefined);
  return [
    ...lookups,
    organizationKey(organization_id),
    ...pods.map((id) => podKey(organization_id, id)),
    ...(place.inbox === undefined ? [] : [addressKey(place.inbox.inbox_id)]),
  ];
}

async function read(database: Database, asked: Asked, place: Place | undefined): Promise<Map<string, Row>> {
  const keys = keysOf(asked, place);
  const rows = await getRows(database, keys);
  return new Map(rows.flatMap((row, at) => (row === undefined ? [] : [[nameOf(keys[at]!), row] as const])));
}

const nameOf = ({ pk, sk }: Key): string => `${pk}\n${sk}`;

function lookedOf(rows: Map<string, Row>, credential: Credential, place: Place, asked: Asked): Looked {
  const { organization_id, pod_id, inbox: home } = place;
  const row = (key: Key) => rows.get(nameOf(key));
  const organization = row(organizationKey(organization_id));
  // A key goes with the pod or the inbox it is of.
  const orphan =
    (pod_id !== undefined && row(podKey(organization_id, pod_id)) === undefined) ||
    (home !== undefined && row(addressKey(home.inbox_id))?.['uid'] !== home.uid);
  if (organization === undefined || orphan) return {};
  const { inbox: named, pod: namedPod } = asked;
  const inbox = named === undefined || !isAddress(named) ? undefined : row(addressKey(named.toLowerCase()));
  const pod = namedPod === undefined ? undefined : row(podKey(organization_id, namedPod));
  return {
    credential,
    organization: organization as unknown as Organization,
    ...(holderOf(inbox) !== undefined && { inbox: toRef(inbox!) }),
    ...(pod !== undefined && { pod: { pod_id: pod['pod_id'] as string } }),
  };
}
