import type { TypeName } from '../value/attribute-value.ts';
import { inside, typeOf } from '../value/attribute-value.ts';
import { compareValues } from '../value/equality.ts';
import type { Operand, Predicate } from './condition-syntax.ts';
import { pathText } from './document-path.ts';
import type { TokenReader } from './token-reader.ts';

const TYPES = ['S', 'N', 'B', 'NULL', 'SS', 'BOOL', 'L', 'BS', 'NS', 'M'];
const ORDERED = ['S', 'N', 'B'];
const OPERANDS: Record<Predicate | 'size', number> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
  size: 1,
};

export function isFunction(name: string): name is Predicate | 'size' {
  return Object.hasOwn(OPERANDS, name);
}

/** What DynamoDB checks of a function's operands before it looks at any item. */
export function checkCall(name: Predicate | 'size', operands: readonly Operand[], reader: TokenReader): void {
  if (operands.length !== OPERANDS[name]) {
    throw reader.error(
      'Incorrect number of operands for operator or function; ' +
        `operator or function: ${name}, number of operands: ${operands.length}`,
    );
  }
  checkDistinct(name, operands, reader);
  const [first, second] = operands;
  if (name.startsWith('attribute_') && name !== 'attribute_type' && first!.kind !== 'path') {
    throw reader.error(`Operator or function requires a document path; operator or function: ${name}`);
  }
  if (name === 'begins_with') for (const operand of operands) requireType(name, operand, ['S', 'B'], reader);
  if (name === 'size') refuseType(name, first!, ['N', 'BOOL', 'NULL'], reader);
  if (name === 'attribute_type') checkTypeName(second!, reader);
}

function checkTypeName(operand: Operand, reader: TokenReader): void {
  if (operand.kind !== 'value' || !('S' in operand.value)) {
    const type = literalType(operand) ?? '{NS,SS,L,BS,N,M,B,BOOL,NULL,S}';
    throw wrongType('attribute_type', type, reader);
  }
  if (TYPES.includes(operand.value.S)) return;
  throw reader.error(
    `Invalid attribute type name found; type: ${operand.value.S}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`,
  );
}

/** What DynamoDB checks of a comparison before it looks at any item. */
export function checkComparison(operator: string, operands: readonly Operand[], reader: TokenReader): void {
  checkDistinct(operator, operands, reader);
  if (operator === '=' || operator === '<>') return;
  for (const operand of operands) {
    const type = literalType(operand);
    if (type === undefined || ORDERED.includes(type)) continue;
    throw reader.error(
      `Incorrect operand type for operator or function; operator: ${operator}, operand type: ${type}`,
    );
  }
}

/** The bounds of a BETWEEN, when both are given as values. */
export function checkBounds(low: Operand, high: Operand, reader: TokenReader): void {
  if (low.kind !== 'value' || high.kind !== 'value') return;
  const shown = [low.value, high.value].map((value) => `{${typeOf(value)}:${String(inside(value))}}`);
  const bounds = `lower bound operand: AttributeValue: ${shown[0]}, upper bound operand: AttributeValue: ${shown[1]}`;
  if (typeOf(low.value) !== typeOf(high.value)) {
    throw reader.error(`The BETWEEN operator requires same data type for lower and upper bounds; ${bounds}`);
  }
  if ((compareValues(low.value, high.value) ?? 0) <= 0) return;
  throw reader.error(
    `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${bounds}`,
  );
}

function checkDistinct(operator: string, operands: readonly Operand[], reader: TokenReader): void {
  const [first, second] = operands;
  if (operands.length !== 2 || first!.kind !== 'path' || second!.kind !== 'path') return;
  if (pathText(first!.path) !== pathText(second!.path)) return;
  throw reader.error(
    'The first operand must be distinct from the remaining operands for this operator or function; ' +
      `operator: ${operator}, first operand: ${pathText(first!.path)}`,
  );
}

function requireType(name: string, operand: Operand, types: string[], reader: TokenReader): void {
  const type = literalType(operand);
  if (type !== undefined && !types.includes(type)) throw wrongType(name, type, reader);
}

function refuseType(name: string, operand: Operand, types: string[], reader: TokenReader): void {
  const type = literalType(operand);
  if (type !== undefined && types.includes(type)) throw wrongType(name, type, reader);
}

function literalType(operand: Operand): TypeName | undefined {
  if (operand.kind === 'size') return 'N';
  return operand.kind === 'value' ? typeOf(operand.value) : undefined;
}

function wrongType(name: string, type: string, reader: TokenReader) {
  return reader.error(
    `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`,
  );
}
