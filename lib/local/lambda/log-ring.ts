/** The last lines a function wrote. */
export class LogRing {
  readonly #lines: string[] = [];
  readonly #size: number;

  constructor(size = 1000) {
    this.#size = size;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#size) this.#lines.shift();
  }

  /** Oldest first. */
  lines(): string[] {
    return [...this.#lines];
  }
}
