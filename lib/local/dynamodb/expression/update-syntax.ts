import type { AttributeValue, TypeName } from '../value/attribute-value.ts';
import { typeOf } from '../value/attribute-value.ts';
import type { DocumentPath } from './document-path.ts';

/** What SET puts somewhere. */
export type UpdateValue =
  | { kind: 'path'; path: DocumentPath }
  | { kind: 'value'; value: AttributeValue }
  | { kind: 'if_not_exists'; path: DocumentPath; otherwise: UpdateValue }
  | { kind: 'list_append'; first: UpdateValue; second: UpdateValue }
  | { kind: '+' | '-'; left: UpdateValue; right: UpdateValue };

export type UpdateAction =
  | { kind: 'SET'; path: DocumentPath; value: UpdateValue }
  | { kind: 'REMOVE'; path: DocumentPath }
  | { kind: 'ADD' | 'DELETE'; path: DocumentPath; value: AttributeValue };

/** The type an action leaves behind, where the expression alone tells. */
export function resultType(action: UpdateAction): TypeName | undefined {
  if (action.kind === 'REMOVE') return undefined;
  return action.kind === 'SET' ? valueType(action.value) : typeOf(action.value);
}

function valueType(value: UpdateValue): TypeName | undefined {
  if (value.kind === 'value') return typeOf(value.value);
  if (value.kind === 'if_not_exists') return valueType(value.otherwise);
  if (value.kind === 'list_append') return 'L';
  return value.kind === 'path' ? undefined : 'N';
}

/** Every path an action looks at or writes to. */
export function actionPaths(action: UpdateAction): DocumentPath[] {
  return action.kind === 'SET' ? [action.path, ...valuePaths(action.value)] : [action.path];
}

function valuePaths(value: UpdateValue): DocumentPath[] {
  switch (value.kind) {
    case 'value':
      return [];
    case 'path':
      return [value.path];
    case 'if_not_exists':
      return [value.path, ...valuePaths(value.otherwise)];
    case 'list_append':
      return [...valuePaths(value.first), ...valuePaths(value.second)];
    case '+':
    case '-':
      return [...valuePaths(value.left), ...valuePaths(value.right)];
  }
}
