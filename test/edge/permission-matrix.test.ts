import { describe, expect, it } from 'vitest';
import { permissionNames, type Permissions } from '../../lib/contract/permission.ts';
import { problems, type ProblemCode } from '../../lib/contract/problem.ts';
import type { RouteName } from '../../lib/contract/routes.ts';
import { bearerKeyid, type TokenClaims } from '../../lib/edge/bearer.ts';
import type { StoredCredential } from '../../lib/edge/directory.ts';
import { operatorCaller } from '../../lib/edge/operator-caller.ts';
import type { Sent } from './api-event.ts';
import { testKey } from './key-fixture.ts';
import { librarySigned, type LibrarySigning } from './library-signer.ts';
import {
  cellOf, credentialAt, inboxNamed, keyDoor, names, now, placed, requestOf, routeOf, scene, target,
  type Place, type World,
} from './matrix-scene.ts'; // prettier-ignore

const key = testKey();
const other = testKey();
const p256 = testKey('p256');
const sign = (sent: Sent, signing: Partial<LibrarySigning> = {}) =>
  librarySigned(key, sent, { now, ...signing });

/** Who calls, as the expectation has it. */
interface Who extends Place {
  permissions?: Permissions | undefined;
  token?: boolean;
  /** Signed calls have a nonce, bearers none. */
  signed?: boolean;
}

const refusedAtTheDoor = (code: ProblemCode): string =>
  cellOf({ status: problems[code].status, code, ran: '', line: '', nonces: 0 });

/** Where the call acts by the path alone: what it names, if all the key is bound to is the same there. */
function resolved(name: RouteName, who: Who): Place | undefined {
  const { path } = routeOf(name);
  const [pod, inbox] = [path.includes('{pod_id}'), path.includes('{inbox_id}')];
  const own = {
    organization: who.organization,
    ...(who.pod && { pod: who.pod }),
    ...(who.inbox && { inbox: who.inbox }),
  };
  if (!pod && !inbox) return own;
  const named: Place = inbox ? target : { organization: target.organization, pod: target.pod };
  const bound = (['organization', 'pod', 'inbox'] as const).every(
    (part) => !who[part] || who[part] === named[part],
  );
  return bound ? named : undefined;
}

/** Why the route refuses the caller, by what its data says. */
function refusal(name: RouteName, who: Who): ProblemCode | undefined {
  const { auth, least, permission } = routeOf(name);
  if (auth !== 'signed') return 'not_found';
  if (resolved(name, who) === undefined) return 'not_found';
  if (least !== undefined && who.inbox) return 'missing_permission';
  if (least === 'organization' && who.pod) return 'missing_permission';
  if (permission === 'unrestricted')
    return who.pod || who.inbox || who.permissions || who.token ? 'unrestricted_key_required' : undefined;
  if (permission === 'any' || permission === 'operator') return undefined;
  return who.permissions === undefined || who.permissions[permission] ? undefined : 'missing_permission';
}

/** The cell of a caller who is who it says: `changed` where the use case writes its own deed. */
function expected(name: RouteName, who: Who, { changed = false } = {}): string {
  const { ledger } = routeOf(name);
  const refused = refusal(name, who);
  const code = refused ?? 'conflict';
  const at = refused === undefined ? resolved(name, who) : undefined;
  const outcome = refused !== undefined ? `denied(${refused})` : changed ? 'allowed()' : 'failed(conflict)';
  const by = `key:key_ed25519${who.token ? ':tok_1' : ''}`;
  return cellOf({
    status: problems[code].status,
    code,
    ran: refused === undefined ? `${name} in ${placed(at)}` : '',
    line: ledger === 'none' ? '' : `${outcome} ${name} by ${by} in ${placed(at ?? who)}`,
    nonces: ledger === 'change' && who.signed !== false ? 1 : 0,
  });
}

/** One column: the cell of each route, and what it has to be. */
async function column(
  cell: (name: RouteName) => Promise<string>,
  wanted: (name: RouteName) => string,
): Promise<void> {
  const cells: Record<string, string> = {};
  for (const name of names) cells[name] = await cell(name);
  expect(cells).toEqual(Object.fromEntries(names.map((name) => [name, wanted(name)])));
}

const exactly = (name: RouteName): Permissions | undefined => {
  const { permission } = routeOf(name);
  return permission === 'unrestricted' ? undefined : { [permission]: true };
};
const allBut = (name: RouteName): Permissions =>
  Object.fromEntries(permissionNames.map((one) => [one, one !== routeOf(name).permission]));

const organization: Place = { organization: target.organization };
const pod: Place = { ...organization, pod: target.pod };
const places: Record<string, Place> = {
  'the organization': organization,
  'the pod': pod,
  'the inbox': target,
  'another pod': { ...organization, pod: 'pod_b' },
  'an inbox of another pod': { ...organization, pod: 'pod_b', inbox: 'inb_b' },
  'another inbox of the pod': { ...pod, inbox: 'inb_c' },
  'another organization': { organization: 'org_2' },
  'another organization’s pod': { organization: 'org_2', pod: 'pod_x' },
  'another organization’s inbox': { organization: 'org_2', pod: 'pod_x', inbox: 'inb_x' },
};
const grants: Record<string, (name: RouteName) => Permissions | undefined> = {
  'no permissions of its own': () => undefined,
  'just the permission': exactly,
  'all permissions but the one': allBut,
  'no permission at all': () => ({}),
};

describe.each(Object.entries(places))('a key of %s', (_, place) => {
  it.each(Object.entries(grants))('with %s', (_grant, granted) =>
    column(
      async (name) => {
        const world = { credentials: [credentialAt(key.credential, place, granted(name))] };
        return keyDoor(world).cell(await sign(requestOf(name)));
      },
      (name) => expected(name, { ...place, permissions: granted(name) }),
    ),
  );
});

describe('a key that is not good', () => {
  const bad: [string, ProblemCode, World][] = [
    ['revoked', 'unknown_api_key', { credentials: [{ ...key.credential, state: 'revoked' }] }],
    [
      'expired',
      'unknown_api_key',
      { credentials: [{ ...key.credential, expires_at: new Date(now).toISOString() }] },
    ],
    ['unknown', 'unknown_api_key', { credentials: [other.credential] }],
    [
      'of an organization that is gone',
      'unknown_api_key',
      { credentials: [key.credential], organization: undefined },
    ],
    [
      'of an organization that is being deleted',
      'unknown_api_key',
      { credentials: [key.credential], organization: { state: 'deleting' } },
    ],
    [
      'of a suspended organization',
      'account_suspended',
      { credentials: [key.credential], organization: { state: 'suspended' } },
    ],
  ];
  it.each(bad)('because it is %s: %s', (_, code, world) =>
    column(
      async (name) => keyDoor(world).cell(await sign(requestOf(name))),
      () => refusedAtTheDoor(code),
    ),
  );
});

describe('a request that is not what was signed', () => {
  const good: World = { credentials: [key.credential] };
  const text = { 'content-type': 'application/json' };
  type Forge = (sent: Sent & { method: string }) => Promise<Sent>;
  /** Signs one request and sends another with its signature. */
  const signedAs =
    (change: (sent: Sent & { method: string }) => Sent): Forge =>
    async (sent) => {
      const { headers } = await sign(change(sent));
      return { ...sent, headers: headers! };
    };
  const forged: [string, ProblemCode, Forge][] = [
    ['unsigned', 'missing_authorization', async (sent) => sent],
    [
      'of another body',
      'invalid_signature',
      signedAs((sent) => ({ ...sent, headers: text, body: '{"a":1}' })),
    ],
    [
      'with a body put under it',
      'invalid_signature',
      async ({ body: _, ...sent }) => ({ ...(await sign(sent)), body: '{"b":2}' }),
    ],
    ['of another path', 'invalid_signature', signedAs((sent) => ({ ...sent, url: `${sent.url}x` }))],
    ['of another query', 'invalid_signature', signedAs((sent) => ({ ...sent, url: `${sent.url}?limit=1` }))],
    [
      'with a query put behind it',
      'invalid_signature',
      async (sent) => ({ ...(await sign(sent)), url: `${sent.url}?limit=1` }),
    ],
    [
      'of another method',
      'invalid_signature',
      signedAs((sent) => ({ ...sent, method: sent.method === 'GET' ? 'DELETE' : 'GET' })),
    ],
    [
      'of another origin',
      'invalid_signature',
      signedAs((sent) => ({ ...sent, url: sent.url.replace('mail.', 'evil.') })),
    ],
    [
      'naming another algorithm than the key’s',
      'invalid_signature',
      (sent) =>
        sign(sent, { params: ['created', 'nonce', 'keyid', 'alg'], values: { alg: 'ecdsa-p256-sha256' } }),
    ],
    [
      'made with another algorithm under the key’s name',
      'invalid_signature',
      (sent) => librarySigned({ ...p256, keyid: key.keyid }, sent, { now }),
    ],
    [
      'made with another key under the key’s name',
      'invalid_signature',
      (sent) => librarySigned({ ...other, keyid: key.keyid }, sent, { now }),
    ],
    ['dated 301 seconds ahead', 'signature_expired', (sent) => sign(sent, { now: now + 301_000 })],
    ['301 seconds old', 'signature_expired', (sent) => sign(sent, { now: now - 301_000 })],
  ];
  it.each(forged)('because it is %s: %s', (_, code, forge) =>
    column(
      async (name) => keyDoor(good).cell(await forge(requestOf(name))),
      () => refusedAtTheDoor(code),
    ),
  );
  it('save within 300 seconds either way', async () => {
    for (const created of [now + 300_000, now - 300_000])
      await column(
        async (name) => keyDoor(good).cell(await sign(requestOf(name), { now: created })),
        (name) => expected(name, organization),
      );
  });
});

describe('a signature that comes again', () => {
  const twice = async (name: RouteName, changes: boolean): Promise<string> => {
    const door = keyDoor({ credentials: [key.credential] });
    if (changes && routeOf(name).ledger === 'change') door.changing();
    const sent = await sign(requestOf(name));
    return `${await door.cell(sent)} | ${await door.cell(sent)}`;
  };
  it.each([
    ['the change spends the nonce', true],
    ['the change leaves the nonce to the edge', false],
  ])('is refused where it is a change, and answered as before where it is not: %s', (_, changes) =>
    column(
      (name) => twice(name, changes),
      (name) => {
        const { ledger } = routeOf(name);
        const first = expected(name, organization, { changed: changes && ledger === 'change' });
        if (ledger !== 'change') return `${first} | ${first}`;
        // Its use case may run again, and finds in its transaction, or the edge finds after it, that it may not.
        const reached = refusal(name, organization) === undefined;
        const ran = reached ? `${name} in ${placed(resolved(name, organization))}` : '';
        return `${first} | ${cellOf({ status: 401, code: 'nonce_used', ran, line: '', nonces: 0 })}`;
      },
    ),
  );
});

describe('a bearer key', () => {
  const text = 'ph_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';
  const { public_key: _, ...base } = key.credential;
  const credential: StoredCredential = { ...base, type: 'bearer', keyid: bearerKeyid(text) };
  const call = (name: RouteName, world: World, authorization = `Bearer ${text}`) => {
    const sent = requestOf(name);
    return keyDoor(world).cell({ ...sent, headers: { ...sent.headers, authorization } });
  };
  it.each([
    ['has not said', {}],
    ['has switched them off', { bearer_keys: false }],
  ])('opens nothing where the organization %s', (_, facts) =>
    column(
      (name) => call(name, { credentials: [credential], organization: { state: 'active', ...facts } }),
      () => refusedAtTheDoor('invalid_token_type'),
    ),
  );
  it('is as good as a signature, but for the nonce, where the organization takes them', async () => {
    for (const granted of [exactly, allBut])
      await column(
        (name) =>
          call(name, {
            credentials: [credentialAt(credential, pod, granted(name))],
            organization: { state: 'active', bearer_keys: true },
          }),
        (name) => expected(name, { ...pod, permissions: granted(name), signed: false }),
      );
  });
  it.each([
    '',
    'Bearer',
    `Basic ${text}`,
    `Bearer ${text} ${text}`,
    `bearer=${text}`,
    text,
    'Bearer sk_1',
    'Bearer ph_other',
  ])('written as “%s” is nobody’s', (authorization) =>
    column(
      (name) =>
        call(
          name,
          { credentials: [credential], organization: { state: 'active', bearer_keys: true } },
          authorization,
        ),
      () => refusedAtTheDoor('unknown_api_key'),
    ),
  );
  it('is not the keyid of a key that signs', () =>
    column(
      (name) =>
        call(name, {
          credentials: [{ ...key.credential, keyid: bearerKeyid(text) }],
          organization: { state: 'active', bearer_keys: true },
        }),
      () => refusedAtTheDoor('unknown_api_key'),
    ));
});

describe('a minted token', () => {
  const claims = (change: Partial<TokenClaims> = {}): TokenClaims => ({
    token_id: 'tok_1',
    keyid: key.keyid,
    organization_id: target.organization,
    expires_at: new Date(now + 1).toISOString(),
    ...change,
  });
  const call = (name: RouteName, credential: StoredCredential, minted: TokenClaims | undefined) => {
    const sent = requestOf(name);
    const door = keyDoor({ credentials: [credential], tokens: { open: async () => minted } });
    return door.cell({ ...sent, headers: { ...sent.headers, authorization: 'Bearer pht_1' } });
  };
  const inbox = inboxNamed(target.inbox);
  const narrowed: [string, Place, Partial<TokenClaims>][] = [
    ['the organization', organization, {}],
    ['a pod', pod, { pod_id: target.pod }],
    ['an inbox', target, { pod_id: target.pod, inbox }],
  ];
  describe.each(narrowed)('for %s', (_, place, scope) => {
    it.each(Object.entries(grants))('with %s', (_grant, granted) =>
      column(
        (name) => {
          const permissions = granted(name);
          return call(name, key.credential, claims({ ...scope, ...(permissions && { permissions }) }));
        },
        (name) => expected(name, { ...place, permissions: granted(name), token: true, signed: false }),
      ),
    );
    it('may no more than its key may now', () =>
      column(
        (name) => call(name, credentialAt(key.credential, organization, allBut(name)), claims(scope)),
        (name) => expected(name, { ...place, permissions: allBut(name), token: true, signed: false }),
      ));
  });
  const bad: [string, StoredCredential, TokenClaims | undefined][] = [
    ['its key is revoked', { ...key.credential, state: 'revoked' }, claims()],
    ['its key has expired', { ...key.credential, expires_at: new Date(now).toISOString() }, claims()],
    ['its key is gone', other.credential, claims()],
    ['it has expired', key.credential, claims({ expires_at: new Date(now).toISOString() })],
    ['it is forged', key.credential, undefined],
    ['its key was narrowed since', credentialAt(key.credential, pod), claims()],
    ['its key is another organization’s', { ...key.credential, organization_id: 'org_2' }, claims()],
  ];
  it.each(bad)('opens nothing when %s', (_, credential, minted) =>
    column(
      (name) => call(name, credential, minted),
      () => refusedAtTheDoor('unknown_api_key'),
    ),
  );
  it('of an inbox that is gone opens nothing of the one that has its address now', () => {
    const before = { ...inbox, uid: 'inb_before' };
    return column(
      (name) => call(name, key.credential, claims({ pod_id: target.pod, inbox: before })),
      (name) =>
        routeOf(name).path.includes('{inbox_id}')
          ? expected(name, { ...target, inbox: before.uid, token: true, signed: false })
          : refusedAtTheDoor('unknown_api_key'),
    );
  });
});

describe('the operator’s door', () => {
  const iam = { userArn: 'arn:aws:iam::000000000000:user/operator' };
  it('is open to whom IAM let in, for the operator’s routes alone', () =>
    column(
      (name) => scene(operatorCaller).cell({ ...requestOf(name), iam }),
      (name) => {
        const { auth, ledger, path } = routeOf(name);
        const mine = auth === 'iam';
        const ledgerOf = mine && path.includes('{organization_id}') ? target.organization : 'org_operator';
        const outcome = mine ? 'failed(conflict)' : 'denied(not_found)';
        return cellOf({
          status: mine ? 409 : 404,
          code: mine ? 'conflict' : 'not_found',
          ran: mine ? `${name} in no scope` : '',
          line: ledger === 'none' ? '' : `${outcome} ${name} by operator in ${ledgerOf}`,
          nonces: 0,
        });
      },
    ));
  it('is closed to everyone else, however well they sign', async () => {
    const closed = () => refusedAtTheDoor('missing_permission');
    await column((name) => scene(operatorCaller).cell(requestOf(name)), closed);
    await column(async (name) => scene(operatorCaller).cell(await sign(requestOf(name))), closed);
  });
});
