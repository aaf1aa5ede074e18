import { createSigV4Fetch } from '../../lib/cli/sigv4-fetch.ts';
import { firstOrganization } from '../../lib/cli/first-organization.ts';
import type { Call } from '../../lib/local/cloud.ts';
import type { LocalCloud } from '../../lib/local/start.ts';
import { createClient, type Client } from '../../lib/sdk/client.ts';
import { createOperator } from '../../lib/sdk/operator.ts';

/** Requests a minute that the bench never reaches. */
const plenty = 10_000_000;

/** An organization, and a key of it, that may call as often as it likes. */
export async function unlimitedOrganization(cloud: LocalCloud) {
  const first = await firstOrganization(cloud);
  const { api, operator } = cloud;
  await createOperator({ baseUrl: api, fetch: createSigV4Fetch({ api, operator }) }).organizations.update(
    first.organization_id,
    { requests_per_minute: plenty, key_requests_per_minute: plenty },
  );
  return first;
}

export interface RequestCalls {
  name: string;
  times: number;
  calls: Call[];
}

/** Calls of AWS that the API makes for one request. */
const ofRequest = ({ by, service }: Call) => /apifunction|apitenant|apigateway/.test(by) && service !== 'sqs';

/**
 * What a request of a signed key takes, on instances that know the key and on ones that have never heard of its
 * organization. Local functions run as two instances that take turns, so the first two calls are both cold.
 */
export async function callsOfRequests(
  cloud: LocalCloud,
  warm: Client,
  inbox: string,
): Promise<RequestCalls[]> {
  const measured = async (
    name: string,
    times: number,
    act: () => Promise<unknown>,
  ): Promise<RequestCalls> => {
    cloud.calls.reset();
    for (let n = 0; n < times; n++) await act();
    return { name, times, calls: cloud.calls.list.filter(ofRequest) };
  };
  const { key } = await firstOrganization(cloud);
  const stranger = createClient({ baseUrl: cloud.api, key, retries: 0 });
  const {
    messages: [message],
  } = await warm.inboxes.messages.list(inbox, { limit: 1 });
  let names = 0;
  const acts: Record<string, () => Promise<unknown>> = {
    'a plain read (inboxes.get)': () => warm.inboxes.get(inbox),
    'a read of mail (messages.get)': () => warm.inboxes.messages.get(inbox, message!.message_id),
    'a change (inboxes.update)': () => warm.inboxes.update(inbox, { display_name: `Bench ${++names}` }),
  };
  const rows = [
    await measured('the first of an organization, on 2 instances (inboxes.list)', 2, () =>
      stranger.inboxes.list(),
    ),
  ];
  for (const [name, act] of Object.entries(acts)) {
    for (let n = 0; n < 4; n++) await act();
    rows.push(await measured(name, 100, act));
  }
  return rows;
}
