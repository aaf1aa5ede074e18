import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const custom = z.object({
  type: z.string(),
  serviceToken: z.string(),
  physicalId: z.string(),
  properties: z.record(z.string(), z.unknown()),
  attributes: z.record(z.string(), z.unknown()),
});
const state = z.object({
  /** Makes the physical names of this home its own. */
  seed: z.string(),
  stackUuid: z.string(),
  /** Custom resources by logical id, as their functions last answered. */
  custom: z.record(z.string(), custom),
});
export type CustomResourceState = z.infer<typeof custom>;

/** What a home remembers of its stack between two starts, in `stack.json`. */
export class StackState {
  readonly #file: string;
  readonly #state: z.infer<typeof state>;

  /** Throws when the file is there but damaged: guessing would rename every resource and lose its data. */
  constructor(home: string) {
    this.#file = join(home, 'stack.json');
    this.#state = this.#read() ?? {
      seed: randomBytes(16).toString('hex'),
      stackUuid: randomUUID(),
      custom: {},
    };
    this.#write();
  }

  get seed(): string {
    return this.#state.seed;
  }

  get stackUuid(): string {
    return this.#state.stackUuid;
  }

  custom(logicalId: string): CustomResourceState | undefined {
    return this.#state.custom[logicalId];
  }

  customIds(): string[] {
    return Object.keys(this.#state.custom);
  }

  remember(logicalId: string, resource: CustomResourceState): void {
    this.#state.custom[logicalId] = resource;
    this.#write();
  }

  forget(logicalId: string): void {
    delete this.#state.custom[logicalId];
    this.#write();
  }

  #read(): z.infer<typeof state> | undefined {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return state.parse(JSON.parse(text));
    } catch (error) {
      throw new Error(`${this.#file} is damaged; restore it or start with another home`, { cause: error });
    }
  }

  // Written aside and renamed, so that an end in between leaves the old file whole.
  #write(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#state, null, 2), { mode: 0o600, flush: true });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
