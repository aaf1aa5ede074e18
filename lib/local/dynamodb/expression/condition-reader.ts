import { checkBounds, checkCall, checkComparison, isFunction } from './condition-rules.ts';
import type { Comparator, Condition, Operand } from './condition-syntax.ts';
import { readPath } from './document-path.ts';
import type { Placeholders } from './placeholders.ts';
import { TokenReader } from './token-reader.ts';

const COMPARATORS = ['=', '<>', '<', '<=', '>', '>='];
const MAX_OPERATORS = 300;
const MAX_IN_LIST = 100;

/** Reads a Condition-, Filter- or KeyConditionExpression; `expression` is the parameter's name. */
export function readCondition(source: string, expression: string, placeholders: Placeholders): Condition {
  return new ConditionReader(source, expression, placeholders).read();
}

/** What stands between operators: a condition, or an operand that still waits for its operator. */
type Term = { condition: Condition; inParens: boolean } | { operand: Operand; inParens: boolean };

/** Recursive descent; AND binds closer than OR, NOT closer than AND. */
class ConditionReader {
  readonly #tokens: TokenReader;
  readonly #placeholders: Placeholders;
  #operators = 0;

  constructor(source: string, expression: string, placeholders: Placeholders) {
    this.#tokens = new TokenReader(source, expression);
    this.#placeholders = placeholders;
  }

  read(): Condition {
    const term = this.#or();
    this.#tokens.expectEnd();
    return this.#condition(term);
  }

  #or(): Term {
    let left = this.#and();
    while (this.#tokens.acceptKeyword('OR')) left = this.#join('or', left, this.#and());
    return left;
  }

  #and(): Term {
    let left = this.#not();
    while (this.#tokens.acceptKeyword('AND')) left = this.#join('and', left, this.#not());
    return left;
  }

  #join(kind: 'and' | 'or', left: Term, right: Term): Term {
    this.#count();
    return {
      condition: { kind, left: this.#condition(left), right: this.#condition(right) },
      inParens: false,
    };
  }

  #not(): Term {
    if (!this.#tokens.acceptKeyword('NOT')) return this.#comparison();
    this.#count();
    if (this.#tokens.sees('NOT')) throw this.#tokens.syntaxError();
    return { condition: { kind: 'not', of: this.#condition(this.#comparison()) }, inParens: false };
  }

  #comparison(): Term {
    const term = this.#primary();
    if ('condition' in term) return term;
    const { kind, text } = this.#tokens.peek();
    if (kind === 'symbol' && COMPARATORS.includes(text)) return this.#compare(term.operand);
    if (this.#tokens.acceptKeyword('BETWEEN')) return this.#between(term.operand);
    if (this.#tokens.acceptKeyword('IN')) return this.#in(term.operand);
    return term;
  }

  #compare(left: Operand): Term {
    this.#count();
    const comparator = this.#tokens.next().text as Comparator;
    const right = this.#operand();
    checkComparison(comparator, [left, right], this.#tokens);
    return { condition: { kind: 'compare', comparator, left, right }, inParens: false };
  }

  #between(of: Operand): Term {
    this.#count();
    const low = this.#operand();
    if (!this.#tokens.acceptKeyword('AND')) throw this.#tokens.syntaxError();
    const high = this.#operand();
    checkComparison('BETWEEN', [of, low, high], this.#tokens);
    checkBounds(low, high, this.#tokens);
    return { condition: { kind: 'between', of, low, high }, inParens: false };
  }

  #in(of: Operand): Term {
    this.#count();
    this.#tokens.expect('(');
    const list = this.#operands();
    if (list.length > MAX_IN_LIST) {
      throw this.#tokens.error(
        'Incorrect number of operands for operator or function; ' +
          `operator or function: IN, number of operands: ${list.length + 1}`,
      );
    }
    return { condition: { kind: 'in', of, list }, inParens: false };
  }

  /** A comma-separated list up to its closing parenthesis. */
  #operands(): Operand[] {
    const operands = [this.#operand()];
    while (this.#tokens.accept(',')) operands.push(this.#operand());
    this.#tokens.expect(')');
    return operands;
  }

  #operand(): Operand {
    const term = this.#primary();
    if ('operand' in term) return term.operand;
    if (term.condition.kind === 'call' && !term.inParens) throw this.#misused(term.condition.name);
    throw this.#tokens.syntaxError();
  }

  #primary(): Term {
    const { kind, text } = this.#tokens.peek();
    if (this.#tokens.accept('(')) return this.#parenthesized();
    if (kind === ':value') return { operand: this.#value(), inParens: false };
    const called = kind === 'name' && this.#tokens.peek(1).text === '(' && !this.#keywordNext();
    if (called) return this.#call(text);
    return { operand: { kind: 'path', path: readPath(this.#tokens, this.#placeholders) }, inParens: false };
  }

  #keywordNext(): boolean {
    return ['AND', 'OR', 'NOT', 'IN', 'BETWEEN'].some((keyword) => this.#tokens.sees(keyword));
  }

  #parenthesized(): Term {
    const term = this.#or();
    this.#tokens.expect(')');
    if (term.inParens) throw this.#tokens.error('The expression has redundant parentheses;');
    return { ...term, inParens: true };
  }

  #call(name: string): Term {
    this.#count();
    if (!isFunction(name)) throw this.#tokens.error(`Invalid function name; function: ${name}`);
    this.#tokens.next();
    this.#tokens.expect('(');
    const operands = this.#operands();
    checkCall(name, operands, this.#tokens);
    if (name === 'size') return { operand: { kind: 'size', of: operands[0]! }, inParens: false };
    return { condition: { kind: 'call', name, operands }, inParens: false };
  }

  #value(): Operand {
    const { text } = this.#tokens.next();
    const value = this.#placeholders.value(text);
    if (value !== undefined) return { kind: 'value', value };
    throw this.#tokens.error(
      `An expression attribute value used in expression is not defined; attribute value: ${text}`,
    );
  }

  #condition(term: Term): Condition {
    if ('condition' in term) return term.condition;
    if (term.operand.kind === 'size') throw this.#misused('size');
    throw this.#tokens.syntaxError();
  }

  #misused(name: string) {
    return this.#tokens.error(
      `The function is not allowed to be used this way in an expression; function: ${name}`,
    );
  }

  #count(): void {
    if (++this.#operators <= MAX_OPERATORS) return;
    throw this.#tokens.error(`The expression contains more than the maximum of ${MAX_OPERATORS} operators;`);
  }
}
