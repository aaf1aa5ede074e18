import type { AttributeValue } from '../value/attribute-value.ts';
import { typeOf } from '../value/attribute-value.ts';
import { checkDistinctPaths, readPath } from './document-path.ts';
import type { DocumentPath } from './document-path.ts';
import type { Placeholders } from './placeholders.ts';
import { TokenReader } from './token-reader.ts';
import type { UpdateAction, UpdateValue } from './update-syntax.ts';

const SECTIONS = ['SET', 'REMOVE', 'ADD', 'DELETE'] as const;
const LONG_TYPE: Record<string, string> = {
  S: 'STRING',
  N: 'NUMBER',
  B: 'BINARY',
  NULL: 'NULL',
  BOOL: 'BOOLEAN',
  L: 'LIST',
  M: 'MAP',
};

/** Reads an UpdateExpression. */
export function readUpdate(source: string, placeholders: Placeholders): UpdateAction[] {
  return new UpdateReader(source, placeholders).read();
}

class UpdateReader {
  readonly #tokens: TokenReader;
  readonly #placeholders: Placeholders;

  constructor(source: string, placeholders: Placeholders) {
    this.#tokens = new TokenReader(source, 'UpdateExpression');
    this.#placeholders = placeholders;
  }

  read(): UpdateAction[] {
    const actions: UpdateAction[] = [];
    const seen = new Set<string>();
    do {
      const section = SECTIONS.find((name) => this.#tokens.acceptKeyword(name));
      if (section === undefined) throw this.#tokens.syntaxError();
      if (seen.has(section)) {
        throw this.#tokens.error(`The "${section}" section can only be used once in an update expression;`);
      }
      seen.add(section);
      do actions.push(this.#action(section));
      while (this.#tokens.accept(','));
    } while (this.#tokens.peek().kind !== 'end');
    checkDistinctPaths(
      actions.map((action) => action.path),
      this.#tokens,
    );
    return actions;
  }

  #action(section: (typeof SECTIONS)[number]): UpdateAction {
    const path = this.#path();
    if (section === 'REMOVE') return { kind: 'REMOVE', path };
    if (section === 'SET') {
      this.#tokens.expect('=');
      return { kind: 'SET', path, value: this.#sum() };
    }
    if (this.#tokens.peek().kind !== ':value') throw this.#tokens.syntaxError();
    const value = this.#literal();
    this.#checkSetOperand(section, value);
    return { kind: section, path, value };
  }

  #checkSetOperand(section: 'ADD' | 'DELETE', value: AttributeValue): void {
    const type = typeOf(value);
    const long = LONG_TYPE[type];
    if (long === undefined || (section === 'ADD' && type === 'N')) return;
    throw this.#tokens.error(
      `Incorrect operand type for operator or function; operator: ${section}, operand type: ${long}`,
    );
  }

  #sum(): UpdateValue {
    const left = this.#operand();
    const kind = this.#tokens.accept('+') ? '+' : this.#tokens.accept('-') ? '-' : undefined;
    if (kind === undefined) return left;
    const right = this.#operand();
    for (const operand of [left, right]) this.#checkType(kind, operand, 'N');
    return { kind, left, right };
  }

  #operand(): UpdateValue {
    const { kind, text } = this.#tokens.peek();
    if (kind === ':value') return { kind: 'value', value: this.#literal() };
    if (this.#tokens.accept('(')) {
      const inner = this.#sum();
      this.#tokens.expect(')');
      return inner;
    }
    if (kind === 'name' && this.#tokens.peek(1).text === '(') return this.#call(text);
    return { kind: 'path', path: this.#path() };
  }

  #call(name: string): UpdateValue {
    if (name !== 'if_not_exists' && name !== 'list_append') {
      throw this.#tokens.error(`Invalid function name; function: ${name}`);
    }
    this.#tokens.next();
    this.#tokens.expect('(');
    const operands = [this.#operand()];
    while (this.#tokens.accept(',')) operands.push(this.#operand());
    this.#tokens.expect(')');
    const [first, second] = operands;
    if (operands.length !== 2) {
      throw this.#tokens.error(
        'Incorrect number of operands for operator or function; ' +
          `operator or function: ${name}, number of operands: ${operands.length}`,
      );
    }
    if (name === 'list_append') {
      for (const operand of operands) this.#checkType(name, operand, 'L');
      return { kind: 'list_append', first: first!, second: second! };
    }
    if (first!.kind === 'path') return { kind: 'if_not_exists', path: first!.path, otherwise: second! };
    throw this.#tokens.error(`Operator or function requires a document path; operator or function: ${name}`);
  }

  #checkType(operator: string, operand: UpdateValue, type: 'N' | 'L'): void {
    if (operand.kind !== 'value' || typeOf(operand.value) === type) return;
    throw this.#tokens.error(
      'Incorrect operand type for operator or function; ' +
        `operator or function: ${operator}, operand type: ${typeOf(operand.value)}`,
    );
  }

  #literal(): AttributeValue {
    const { text } = this.#tokens.next();
    const value = this.#placeholders.value(text);
    if (value !== undefined) return value;
    throw this.#tokens.error(
      `An expression attribute value used in expression is not defined; attribute value: ${text}`,
    );
  }

  #path(): DocumentPath {
    return readPath(this.#tokens, this.#placeholders);
  }
}
