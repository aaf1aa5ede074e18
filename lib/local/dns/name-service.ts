import { canonicalName, isWithin } from './domain-name.ts';
import type { RecordSet, RecordType } from './record-set.ts';
import { Zone } from './zone.ts';

export interface Answer {
  rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL';
  /** The CNAMEs on the way, then the sets asked for, each under the name it was asked by. */
  sets: RecordSet[];
  /** Start of authority of the zone that says no (RFC 2308). */
  authority: RecordSet | undefined;
}

const LONGEST_CHAIN = 16;

/** Everything that has a name on this machine: the zones of Route 53, of SES and of the small outside world. */
export class NameService {
  /** The world ends at the root: a name in no other zone does not exist. */
  readonly #zones = new Map<string, Zone>([['', new Zone('')]]);

  add(zone: Zone): void {
    this.#zones.set(zone.origin, zone);
  }

  remove(origin: string): void {
    this.#zones.delete(canonicalName(origin));
  }

  /** Follows CNAMEs across zones, as a resolver does for its client. */
  answer(name: string, type: RecordType | 'ANY'): Answer {
    const sets: RecordSet[] = [];
    let asked = canonicalName(name);
    for (let step = 0; step < LONGEST_CHAIN; step++) {
      const zone = this.#zoneOf(asked);
      const authority = zone.get(zone.origin, 'SOA');
      const found = zone.find(asked);
      if (found === undefined) return { rcode: 'NXDOMAIN', sets, authority };
      const here = [...found.values()].map((set) => ({ ...set, name: asked }));
      const matching = here.filter((set) => type === 'ANY' || set.type === type);
      if (matching.length > 0)
        return { rcode: 'NOERROR', sets: [...sets, ...matching], authority: undefined };
      const alias = here.find((set) => set.type === 'CNAME');
      if (alias === undefined) return { rcode: 'NOERROR', sets, authority };
      sets.push(alias);
      asked = canonicalName(alias.values[0]!);
    }
    return { rcode: 'SERVFAIL', sets: [], authority: undefined };
  }

  #zoneOf(name: string): Zone {
    const covering = [...this.#zones.values()].filter((zone) => isWithin(name, zone.origin));
    return covering.reduce((best, zone) => (zone.origin.length > best.origin.length ? zone : best));
  }
}
