import { randomBytes } from 'node:crypto';

interface Box {
  put(body: string): void;
}

/** One-time addresses on the endpoint at which functions answer CloudFormation, as a presigned S3 PUT is on AWS. */
export class AnswerBoxes {
  static readonly prefix = '/cloudformation-custom-resource-response/';
  readonly #boxes = new Map<string, Box>();

  /** A new address below `origin`; unguessable, and gone after its first answer. */
  open(origin: string): { url: string; answer: Promise<string>; close(): void } {
    const path = `${AnswerBoxes.prefix}${randomBytes(24).toString('base64url')}`;
    const answer = new Promise<string>((put) => this.#boxes.set(path, { put }));
    return { url: `${origin}${path}`, answer, close: () => void this.#boxes.delete(path) };
  }

  /** False when nobody waits at that path (any more). */
  put(path: string, body: string): boolean {
    const box = this.#boxes.get(path);
    this.#boxes.delete(path);
    box?.put(body);
    return box !== undefined;
  }
}
