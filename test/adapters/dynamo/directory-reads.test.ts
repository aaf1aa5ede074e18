import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiKeyStore } from '../../../lib/adapters/dynamo/api-key-store.ts';
import { directory } from '../../../lib/adapters/dynamo/directory.ts';
import { addressKey, credentialKey, inboxKey, podKey, type Key } from '../../../lib/adapters/dynamo/keys.ts';
import { organizationStore } from '../../../lib/adapters/dynamo/organization-store.ts';
import { podStore } from '../../../lib/adapters/dynamo/pod-store.ts';
import type { Credential } from '../../../lib/core/ports.ts';
import { inboxRef, newDeed, organizationId } from '../../support/mail-samples.ts';
import { settle, tableHouse, type TableHouse } from '../../support/table-house.ts';

const inbox = inboxRef();
const time = '2026-01-01T00:00:00.000Z';
let house: TableHouse;
beforeEach(async () => {
  house = await tableHouse();
  await settle(house, organizationId, inbox);
  const pod = {
    organization_id: organizationId,
    pod_id: 'pod_a',
    name: 'A',
    updated_at: time,
    created_at: time,
  };
  await podStore(house.database).create(pod, newDeed());
});
afterEach(() => house.close());

async function keyOf(more: Partial<Credential> = {}): Promise<Credential> {
  const credential = {
    ...{ api_key_id: 'key_1', keyid: 'thumb', organization_id: organizationId, name: 'key', state: 'active' },
    ...{ type: 'bearer', prefix: 'ph_x', created_at: time, updated_at: time },
    ...more,
  } as Credential;
  // Bearer keys open doors only where the organization lets them.
  await organizationStore(house.database).update(organizationId, { bearer_keys: true }, newDeed());
  expect(await apiKeyStore(house.database).add(credential)).toBe('added');
  return credential;
}
const reads = () => house.counted().map(({ action }) => action);
const remove = (key: Key) =>
  house.database.client.send(new DeleteCommand({ TableName: 'mailroom', Key: key }));

describe('a look-up', () => {
  it('takes two batch gets when it is cold and one when the place of the key is remembered', async () => {
    await keyOf();
    const { lookUp } = directory(house.database, house.now);
    const asked = { keyid: 'thumb', inbox: inbox.inbox_id, pod: 'pod_a' };
    house.forget();
    const cold = await lookUp(asked);
    expect(reads()).toEqual(['BatchGetItem', 'BatchGetItem']);
    house.forget();
    const warm = await lookUp(asked);
    expect(reads()).toEqual(['BatchGetItem']);
    expect(cold).toMatchObject({
      credential: { api_key_id: 'key_1' },
      organization: { organization_id: organizationId, state: 'active' },
      ...{ inbox, pod: { pod_id: 'pod_a' } },
    });
    expect(warm).toEqual(cold);
  });

  it('takes the same reads whether what it names is there or not', async () => {
    await keyOf();
    const { lookUp } = directory(house.database, house.now);
    await lookUp({ keyid: 'thumb' });
    house.forget();
    const missing = await lookUp({ keyid: 'thumb', inbox: 'nobody@mail.test', pod: 'pod_none' });
    expect(missing).toMatchObject({ credential: { api_key_id: 'key_1' } });
    expect(missing).not.toHaveProperty('inbox');
    expect(missing).not.toHaveProperty('pod');
    expect(reads()).toEqual(['BatchGetItem']);
  });

  it('answers what stands there now, however warm it is', async () => {
    await keyOf();
    const { lookUp } = directory(house.database, house.now);
    await lookUp({ keyid: 'thumb', pod: 'pod_a' });
    await organizationStore(house.database).update(organizationId, { state: 'suspended' }, newDeed());
    await remove(podKey(organizationId, 'pod_a'));
    const looked = await lookUp({ keyid: 'thumb', pod: 'pod_a' });
    expect(looked.organization?.state).toBe('suspended');
    expect(looked).not.toHaveProperty('pod');
    await remove(credentialKey('thumb'));
    expect(await lookUp({ keyid: 'thumb', pod: 'pod_a' })).toEqual({});
  });

  it.each([
    ['its pod', { pod_id: 'pod_a' }, [podKey(organizationId, 'pod_a')]],
    [
      'its inbox',
      { pod_id: organizationId, inbox: { uid: inbox.uid, inbox_id: inbox.inbox_id } },
      [inboxKey(inbox), addressKey(inbox.inbox_id)],
    ],
  ])('of a key finds nobody once %s is gone, cold and warm', async (_, place, gone) => {
    await keyOf(place);
    const warm = directory(house.database, house.now);
    expect(await warm.lookUp({ keyid: 'thumb' })).toHaveProperty('credential');
    for (const key of gone) await remove(key);
    expect(await warm.lookUp({ keyid: 'thumb' })).toEqual({});
    expect(await directory(house.database, house.now).lookUp({ keyid: 'thumb' })).toEqual({});
  });
});

describe('a touch', () => {
  it('notes when the key was used, and never brings back one that is gone', async () => {
    await keyOf();
    const { touch, lookUp } = directory(house.database, house.now);
    await touch({ keyid: 'thumb' }, '2026-02-01T00:00:00.000Z');
    expect((await lookUp({ keyid: 'thumb' })).credential?.used_at).toBe('2026-02-01T00:00:00.000Z');
    await remove(credentialKey('thumb'));
    await touch({ keyid: 'thumb' }, '2026-02-02T00:00:00.000Z');
    expect((await house.rows()).filter(({ sk }) => sk === 'KEY')).toEqual([]);
  });
});
