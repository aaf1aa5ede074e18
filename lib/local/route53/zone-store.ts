import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../aws-error.ts';
import { canonicalName, isWithin } from '../dns/domain-name.ts';
import type { NameService } from '../dns/name-service.ts';
import type { RecordSet } from '../dns/record-set.ts';
import { Zone } from '../dns/zone.ts';
import { transaction } from '../open-database.ts';
import { type Change, complaints } from './change-batch.ts';

export const zoneSchema = `
  CREATE TABLE IF NOT EXISTS zone (id TEXT PRIMARY KEY, name TEXT NOT NULL, adopted INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS record (
    zone TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (zone, name, type));
  CREATE TABLE IF NOT EXISTS change (id TEXT PRIMARY KEY, submitted REAL NOT NULL, in_sync REAL NOT NULL);
`;

export interface HostedZone {
  id: string;
  zone: Zone;
}

export interface ChangeInfo {
  id: string;
  submitted: number;
  /** When all name servers have it. */
  inSync: number;
}

/** The hosted zones; each is in the local DNS from its first moment. */
export class ZoneStore {
  readonly #database: DatabaseSync;
  readonly #names: NameService;
  readonly #zones = new Map<string, Zone>();

  constructor(database: DatabaseSync, names: NameService) {
    this.#database = database;
    this.#names = names;
    for (const row of database.prepare('SELECT id, name FROM zone').all()) {
      const records = database.prepare('SELECT content FROM record WHERE zone = ?').all(String(row['id']));
      this.#serve(
        String(row['id']),
        String(row['name']),
        records.map(({ content }) => JSON.parse(String(content)) as RecordSet),
      );
    }
  }

  /** The zone of that name, made when there is none; `adopted` once its id is settled. */
  ensure(name: string, adopted: boolean): HostedZone {
    const origin = canonicalName(name);
    const known = this.byName(origin);
    if (known !== undefined) return known;
    const id = `Z${createHash('sha256').update(origin).digest('hex').slice(0, 20).toUpperCase()}`;
    this.#database
      .prepare('INSERT INTO zone (id, name, adopted) VALUES (?, ?, ?)')
      .run(id, origin, adopted ? 1 : 0);
    this.#serve(id, origin, []);
    return { id, zone: this.#zones.get(id)! };
  }

  byName(name: string): HostedZone | undefined {
    const found = [...this.#zones].find(([, zone]) => zone.origin === canonicalName(name));
    return found === undefined ? undefined : { id: found[0], zone: found[1] };
  }

  get(id: string): HostedZone {
    const bare = id.replace(/^\/?hostedzone\//, '');
    const zone = this.#zones.get(bare);
    if (zone !== undefined) return { id: bare, zone };
    throw new AwsError('NoSuchHostedZone', `No hosted zone found with ID: ${bare}`, { status: 404 });
  }

  /** The template's id for a zone that exists already: the zone that has none of its own yet takes it, if it fits. */
  adopt(id: string, recordName: string): HostedZone {
    if (this.#zones.has(id)) return this.get(id);
    const row = this.#database.prepare('SELECT id, name FROM zone WHERE adopted = 0').get();
    if (row === undefined || !isWithin(canonicalName(recordName), String(row['name']))) return this.get(id);
    const old = String(row['id']);
    transaction(this.#database, () => {
      this.#database.prepare('UPDATE zone SET id = ?, adopted = 1 WHERE id = ?').run(id, old);
      this.#database.prepare('UPDATE record SET zone = ? WHERE zone = ?').run(id, old);
    });
    this.#zones.set(id, this.#zones.get(old)!);
    this.#zones.delete(old);
    return this.get(id);
  }

  /** All changes or none; throws InvalidChangeBatch (400) with every complaint. */
  change({ id, zone }: HostedZone, changes: readonly Change[], now: number, delay: number): ChangeInfo {
    const said = complaints(changes, zone.origin, (name, type) => zone.get(name, type));
    if (said.length > 0) throw new AwsError('InvalidChangeBatch', `[${said.join(', ')}]`);
    const info = {
      id: `C${randomBytes(10).toString('hex').toUpperCase()}`,
      submitted: now,
      inSync: now + delay,
    };
    transaction(this.#database, () => {
      for (const { action, set } of changes) this.#write(id, action, set);
      this.#database
        .prepare('INSERT INTO change (id, submitted, in_sync) VALUES (?, ?, ?)')
        .run(info.id, info.submitted, info.inSync);
    });
    for (const { action, set } of changes) {
      if (action === 'DELETE') zone.remove(set.name, set.type);
      else zone.put(set);
    }
    return info;
  }

  changeInfo(id: string): ChangeInfo {
    const row = this.#database.prepare('SELECT submitted, in_sync FROM change WHERE id = ?').get(id);
    if (row === undefined)
      throw new AwsError('NoSuchChange', `Could not find resource with ID: ${id}`, { status: 404 });
    return { id, submitted: Number(row['submitted']), inSync: Number(row['in_sync']) };
  }

  #write(zone: string, action: Change['action'], set: RecordSet): void {
    const key = [zone, set.name, set.type];
    this.#database.prepare('DELETE FROM record WHERE zone = ? AND name = ? AND type = ?').run(...key);
    if (action === 'DELETE') return;
    this.#database
      .prepare('INSERT INTO record (zone, name, type, content) VALUES (?, ?, ?, ?)')
      .run(...key, JSON.stringify(set));
  }

  #serve(id: string, origin: string, records: RecordSet[]): void {
    const zone = new Zone(origin, records);
    this.#zones.set(id, zone);
    this.#names.add(zone);
  }
}
