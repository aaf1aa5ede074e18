import { canonicalName, isWithin, parentName } from './domain-name.ts';
import type { RecordSet, RecordType } from './record-set.ts';

/** The records of one zone, with a name server and a start of authority from the beginning. */
export class Zone {
  /** Canonical name of the apex. */
  readonly origin: string;
  readonly #names = new Map<string, Map<RecordType, RecordSet>>();
  /** How many record sets stand at or below a name: empty non-terminals exist too (RFC 8020). */
  readonly #below = new Map<string, number>();

  constructor(origin: string, records: readonly RecordSet[] = []) {
    this.origin = canonicalName(origin);
    const at = this.origin === '' ? '' : `.${this.origin}`;
    this.put({ name: this.origin, type: 'NS', ttl: 172_800, values: [`ns1${at}.`] });
    this.put({
      name: this.origin,
      type: 'SOA',
      ttl: 900,
      values: [`ns1${at}. hostmaster${at}. 1 7200 900 1209600 300`],
    });
    for (const record of records) this.put(record);
  }

  /** Adds the set or replaces the one of that name and type. */
  put(set: RecordSet): void {
    const name = canonicalName(set.name);
    if (!isWithin(name, this.origin)) throw new Error(`${name} is not in the zone ${this.origin}`);
    const types = this.#names.get(name) ?? new Map<RecordType, RecordSet>();
    if (!types.has(set.type)) this.#count(name, 1);
    this.#names.set(name, types.set(set.type, { ...set, name }));
  }

  remove(name: string, type: RecordType): void {
    const types = this.#names.get(canonicalName(name));
    if (types?.delete(type) !== true) return;
    this.#count(canonicalName(name), -1);
    if (types.size === 0) this.#names.delete(canonicalName(name));
  }

  get(name: string, type: RecordType): RecordSet | undefined {
    return this.#names.get(canonicalName(name))?.get(type);
  }

  at(name: string): RecordSet[] {
    return [...(this.#names.get(canonicalName(name))?.values() ?? [])];
  }

  sets(): RecordSet[] {
    return [...this.#names.values()].flatMap((types) => [...types.values()]);
  }

  /** What answers for the name: its own sets, or those of the wildcard that covers it; `undefined` if it does not exist. */
  find(name: string): ReadonlyMap<RecordType, RecordSet> | undefined {
    const own = this.#names.get(name);
    if (own !== undefined) return own;
    if ((this.#below.get(name) ?? 0) > 0) return new Map();
    let encloser = parentName(name);
    while (encloser !== undefined && encloser !== this.origin && (this.#below.get(encloser) ?? 0) === 0) {
      encloser = parentName(encloser);
    }
    return this.#names.get(encloser === '' ? '*' : `*.${encloser}`);
  }

  #count(name: string, change: number): void {
    for (let at: string | undefined = name; at !== undefined; at = parentName(at)) {
      this.#below.set(at, (this.#below.get(at) ?? 0) + change);
      if (at === this.origin) return;
    }
  }
}
