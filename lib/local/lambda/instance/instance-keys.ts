import type { Instance } from './instance.ts';

/** Which instance holds which key, so that a call can be told from a call of a frozen or dead instance. */
export class InstanceKeys {
  readonly #alive = new Map<string, Instance>();
  readonly #gone = new Set<string>();
  readonly #retire: (accessKeyId: string) => void;

  constructor(retire: (accessKeyId: string) => void) {
    this.#retire = retire;
  }

  add(instance: Instance): void {
    for (const [key, { gone }] of this.#alive) {
      if (!gone) continue;
      this.#alive.delete(key);
      this.#gone.add(key);
      this.#retire(key);
    }
    this.#alive.set(instance.accessKeyId, instance);
  }

  /** True also for a key that no instance ever held. */
  isActive(accessKeyId: string): boolean {
    return this.#alive.get(accessKeyId)?.active ?? !this.#gone.has(accessKeyId);
  }
}
