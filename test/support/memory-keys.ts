import type { Deed } from '../../lib/contract/call.ts';
import type { Pod } from '../../lib/contract/pod.ts';
import type { Scope } from '../../lib/contract/principal.ts';
import { contains } from '../../lib/contract/scope.ts';
import { scopeOfKey } from '../../lib/core/key-bounds.ts';
import type { AddedKey, ApiKeyStore, PodStore } from '../../lib/core/key-ports.ts';
import type { Credential } from '../../lib/core/ports.ts';

/** The call's deed with a line, as the edge hands it out. */
export const deedOf = (organization_id = 'org_1'): Deed & Required<Pick<Deed, 'line'>> => ({
  written: false,
  line: {
    line_id: 'lin_1',
    time: '2026-01-01T00:00:00.000Z',
    organization_id,
    principal: { kind: 'key' },
    action: 'test',
    resources: [],
    outcome: 'allowed',
    request_id: 'r',
  },
});

/** Keys: one a keyid, one a client id. */
export class MemoryKeys implements ApiKeyStore {
  readonly rows = new Map<string, Credential>();
  bearerKeys = true;
  /** Answers instead of what the rows say, once each. */
  next: AddedKey[] = [];
  /** Runs ahead of each update, where a test lets a neighbour in. */
  before: () => void = () => undefined;

  async add(credential: Credential, by?: string): Promise<AddedKey> {
    const forced = this.next.shift();
    if (forced !== undefined) return forced;
    const existing = this.#all().find((key) => named(key, credential.client_id));
    if (existing !== undefined) return { existing };
    if (credential.type === 'bearer' && !this.bearerKeys) return 'bearer_keys_off';
    if (by !== undefined && this.rows.get(by)?.state === 'revoked') return 'no_parent';
    if (this.#all().some(({ keyid }) => keyid === credential.keyid)) return 'key_registered';
    this.rows.set(credential.api_key_id, credential);
    return 'added';
  }
  async get(_: string, id: string) {
    return this.#all().find((key) => key.api_key_id === id || named(key, id));
  }
  async list(scope: Scope, _: unknown, type?: Credential['type']) {
    const items = this.#all().filter((key) => contains(scope, scopeOfKey(key)));
    return { items: items.filter((key) => type === undefined || key.type === type).reverse() };
  }
  async update(credential: Credential, expected: string) {
    this.before();
    const current = await this.get('', credential.api_key_id);
    if (current === undefined) return 'gone' as const;
    if (current.updated_at !== expected) return 'stale' as const;
    this.rows.set(credential.api_key_id, credential);
    return 'updated' as const;
  }
  async revoke({ api_key_id }: Credential) {
    const current = await this.get('', api_key_id);
    if (current === undefined) return 'gone' as const;
    this.rows.set(api_key_id, { ...current, state: 'revoked' });
    return 'revoked' as const;
  }
  #all = () => [...this.rows.values()].filter(({ state }) => state === 'active');
}

const named = (key: Credential, id: string | undefined): boolean => id !== undefined && key.client_id === id;

/** Pods, and how many inboxes each has. */
export class MemoryPods implements PodStore {
  readonly rows = new Map<string, Pod>();
  readonly inboxes = new Map<string, number>();

  async create(pod: Pod) {
    const existing = [...this.rows.values()].find(
      ({ client_id }) => client_id !== undefined && client_id === pod.client_id,
    );
    if (existing !== undefined) return { existing };
    this.rows.set(pod.pod_id, pod);
    return 'created' as const;
  }
  async get(_: string, podId: string) {
    return this.rows.get(podId);
  }
  async list() {
    return { items: [...this.rows.values()].reverse() };
  }
  async delete({ pod_id }: Pod) {
    if ((this.inboxes.get(pod_id) ?? 0) > 0) return 'not_empty' as const;
    return this.rows.delete(pod_id) ? ('deleted' as const) : ('gone' as const);
  }
}
