import type { AwsError } from '../../aws-error.ts';
import { validation } from '../errors.ts';

export type TokenKind = 'name' | '#name' | ':value' | 'number' | 'symbol' | 'end';
export interface Token {
  kind: TokenKind;
  text: string;
  start: number;
  end: number;
}

const MAX_BYTES = 4096;
const TOKENS =
  /\s*(?:(?<name>[A-Za-z][A-Za-z0-9_]*)|(?<hash>#[A-Za-z0-9_]+)|(?<colon>:[A-Za-z0-9_]+)|(?<number>\d+)|(?<symbol><>|<=|>=|[()[\],.=<>+-]))/y;

/** Reads an expression token by token. Its errors carry the name of the expression, as DynamoDB's do. */
export class TokenReader {
  readonly #source: string;
  readonly #expression: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  /** `expression` is the parameter's name, such as `ConditionExpression`. */
  constructor(source: string, expression: string) {
    this.#source = source;
    this.#expression = expression;
    if (source === '') throw this.error('The expression can not be empty;');
    if (Buffer.byteLength(source) > MAX_BYTES) {
      throw this.error('Expression size has exceeded the maximum allowed size;');
    }
    this.#split();
  }

  #split(): void {
    const pattern = new RegExp(TOKENS);
    const stop = this.#source.trimEnd().length;
    while (pattern.lastIndex < stop) {
      const start = pattern.lastIndex;
      const match = pattern.exec(this.#source);
      if (match === null) throw this.#illegal(start);
      const groups = match.groups!;
      const text = match[0].trimStart();
      const kind = groups['name']
        ? 'name'
        : groups['hash']
          ? '#name'
          : groups['colon']
            ? ':value'
            : groups['number']
              ? 'number'
              : 'symbol';
      this.#tokens.push({ kind, text, start: pattern.lastIndex - text.length, end: pattern.lastIndex });
    }
    this.#tokens.push({ kind: 'end', text: '<EOF>', start: stop, end: stop });
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  /** Takes the symbol when it stands next. */
  accept(symbol: string): boolean {
    const found = this.peek().kind === 'symbol' && this.peek().text === symbol;
    if (found) this.#at++;
    return found;
  }

  expect(symbol: string): void {
    if (!this.accept(symbol)) throw this.syntaxError();
  }

  /** Whether a keyword stands next, whatever its case. */
  sees(keyword: string): boolean {
    return this.peek().kind === 'name' && this.peek().text.toUpperCase() === keyword;
  }

  acceptKeyword(keyword: string): boolean {
    const found = this.sees(keyword);
    if (found) this.#at++;
    return found;
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') throw this.syntaxError();
  }

  /** The token that stands next is not allowed here. */
  syntaxError(): AwsError {
    const { text } = this.peek();
    const before = this.#tokens[this.#at - 1] ?? this.peek();
    const near = this.#source.slice(before.start, this.peek(1).end);
    return this.error(`Syntax error; token: "${text}", near: "${near}"`);
  }

  #illegal(start: number): AwsError {
    const text = this.#source.slice(start).trimStart();
    const near = this.#source.slice(Math.max(0, start - 10), start + 10).trim();
    return this.error(`Syntax error; token: "${text[0]}", near: "${near}"`);
  }

  error(message: string): AwsError {
    return validation(`Invalid ${this.#expression}: ${message}`);
  }
}
