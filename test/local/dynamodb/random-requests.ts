import fc from 'fast-check';

/** A request at random: the call's name and its parameters. */
export interface RandomRequest {
  action: string;
  input: Record<string, any>;
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'flag');
const number = fc.constantFrom(
  '0',
  '1',
  '2',
  '-1',
  '10',
  '1.50',
  '1e3',
  '-0.25',
  '12345678901234567890',
  '007',
);
const text = fc.constantFrom('', '', 'a', 'ab', 'abc', 'b', 'é', 'zz', '~');
const bytes = fc.constantFrom('', 'YQ==', 'YWI=', '/w==');

const scalar = fc.oneof(
  text.map((S) => ({ S })),
  number.map((N) => ({ N })),
  bytes.map((B) => ({ B })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true }),
);
const set = fc.oneof(
  fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }).map((SS) => ({ SS })),
  fc.uniqueArray(fc.constantFrom('1', '2', '3.0'), { minLength: 1 }).map((NS) => ({ NS })),
  fc.uniqueArray(fc.constantFrom('YQ==', 'Yg=='), { minLength: 1 }).map((BS) => ({ BS })),
);
const value: fc.Arbitrary<object> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: set },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }).map((L) => ({ L })) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('x', 'y'), scalar).map((M) => ({ M })) },
);

/** Part of an expression; its text comes once the placeholders are known. */
type Part = (scope: Scope) => string;
class Scope {
  names: Record<string, string> = {};
  values: Record<string, object> = {};
  name(plain: string): string {
    const key = `#n${plain}`;
    this.names[key] = plain;
    return key;
  }
  value(value: object): string {
    const key = `:v${Object.keys(this.values).length}`;
    this.values[key] = value;
    return key;
  }
}

const head: fc.Arbitrary<Part> = name.chain((plain) =>
  fc.constantFrom<Part>(
    (scope) => scope.name(plain),
    () => plain,
  ),
);
const step = fc.oneof(
  fc.constantFrom('.x', '.y', '.#nx'),
  fc.nat({ max: 4 }).map((at) => `[${at}]`),
);
const path: fc.Arbitrary<Part> = fc
  .tuple(head, fc.array(step, { maxLength: 2 }))
  .map(([first, steps]) => (scope) => {
    if (steps.includes('.#nx')) scope.name('x');
    return first(scope) + steps.join('');
  });
const shallow: fc.Arbitrary<Part> = fc.oneof({ weight: 4, arbitrary: head }, { weight: 1, arbitrary: path });
const literal = (of: fc.Arbitrary<object>): fc.Arbitrary<Part> =>
  of.map((one) => (scope) => scope.value(one));
const operand: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: shallow },
  { weight: 3, arbitrary: literal(value) },
  {
    weight: 1,
    arbitrary: shallow.map(
      (of): Part =>
        (scope) =>
          `size(${of(scope)})`,
    ),
  },
);
const ordered = fc.oneof(
  text.map((S) => ({ S })),
  number.map((N) => ({ N })),
);
const bounds: fc.Arbitrary<[object, object]> = fc.oneof(
  fc.constantFrom<[object, object]>(
    [{ N: '0' }, { N: '10' }],
    [{ S: 'a' }, { S: 'b' }],
    [{ S: '' }, { S: 'zz' }],
  ),
  fc.constantFrom<[object, object]>([{ N: '1' }, { S: 'a' }], [{ N: '2' }, { N: '1' }]),
);
const comparison: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(shallow, fc.constantFrom('=', '<>', '<', '<=', '>', '>='), literal(ordered)).map(
      ([left, sign, right]): Part =>
        (scope) =>
          `${left(scope)} ${sign} ${right(scope)}`,
    ),
  },
  fc.tuple(operand, fc.constantFrom('=', '<>', '<', '<=', '>', '>='), operand).map(
    ([left, sign, right]): Part =>
      (scope) =>
        `${left(scope)} ${sign} ${right(scope)}`,
  ),
  fc.tuple(shallow, bounds).map(
    ([of, [low, high]]): Part =>
      (scope) =>
        `${of(scope)} BETWEEN ${scope.value(low)} AND ${scope.value(high)}`,
  ),
  fc.tuple(shallow, fc.array(literal(value), { minLength: 1, maxLength: 3 })).map(
    ([of, list]): Part =>
      (scope) =>
        `${of(scope)} in (${list.map((one) => one(scope)).join(', ')})`,
  ),
  fc.tuple(fc.constantFrom('attribute_exists', 'attribute_not_exists'), path).map(
    ([called, of]): Part =>
      (scope) =>
        `${called}(${of(scope)})`,
  ),
  fc
    .tuple(
      fc.constantFrom('begins_with', 'contains'),
      shallow,
      literal(
        fc.oneof(
          { weight: 4, arbitrary: text.map((S): object => ({ S })) },
          { weight: 1, arbitrary: scalar },
        ),
      ),
    )
    .map(
      ([called, of, what]): Part =>
        (scope) =>
          `${called}(${of(scope)}, ${what(scope)})`,
    ),
  fc
    .tuple(
      shallow,
      literal(fc.constantFrom('S', 'S', 'S', 'BOOL', 'N', 'B', 'L', 'M', 'SS', 'what').map((S) => ({ S }))),
    )
    .map(
      ([of, type]): Part =>
        (scope) =>
          `attribute_type(${of(scope)}, ${type(scope)})`,
    ),
);
const { condition } = fc.letrec<{ condition: Part }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    { weight: 4, arbitrary: comparison },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition')).map(
        ([left, joint, right]): Part =>
          (scope) =>
            `${left(scope)} ${joint} ${right(scope)}`,
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('NOT (', '('), tie('condition')).map(
        ([open, inner]): Part =>
          (scope) =>
            `${open}${inner(scope)})`,
      ),
    },
  ),
}));

const setValue: fc.Arbitrary<Part> = fc.oneof(
  { weight: 1, arbitrary: literal(fc.constant({ S: '' })) },
  { weight: 4, arbitrary: literal(value) },
  { weight: 1, arbitrary: shallow },
  {
    weight: 2,
    arbitrary: fc.tuple(shallow, fc.constantFrom('+', '-'), literal(number.map((N) => ({ N })))).map(
      ([left, sign, right]): Part =>
        (scope) =>
          `${left(scope)} ${sign} ${right(scope)}`,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(shallow, literal(value)).map(
      ([of, otherwise]): Part =>
        (scope) =>
          `if_not_exists(${of(scope)}, ${otherwise(scope)})`,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(shallow, literal(fc.array(scalar, { maxLength: 2 }).map((L) => ({ L })))).map(
      ([list, more]): Part =>
        (scope) =>
          `list_append(${list(scope)}, ${more(scope)})`,
    ),
  },
);
const section = (word: string, member: fc.Arbitrary<Part>): fc.Arbitrary<Part> =>
  fc
    .array(member, { minLength: 1, maxLength: 2 })
    .map((members) => (scope) => `${word} ${members.map((one) => one(scope)).join(', ')}`);
const withLiteral = (of: fc.Arbitrary<object>): fc.Arbitrary<Part> =>
  fc.tuple(shallow, literal(of)).map(
    ([where, what]) =>
      (scope) =>
        `${where(scope)} ${what(scope)}`,
  );
const sections: fc.Arbitrary<Part>[] = [
  section(
    'SET',
    fc.tuple(path, setValue).map(
      ([where, what]) =>
        (scope) =>
          `${where(scope)} = ${what(scope)}`,
    ),
  ),
  section('REMOVE', path),
  section(
    'ADD',
    withLiteral(
      fc.oneof(
        set,
        number.map((N) => ({ N })),
        scalar,
      ),
    ),
  ),
  section('DELETE', withLiteral(fc.oneof(set, set, scalar))),
];
const update: fc.Arbitrary<Part> = fc
  .shuffledSubarray([0, 1, 2, 3], { minLength: 1, maxLength: 2 })
  .chain((chosen) => fc.tuple(...chosen.map((at) => sections[at]!)))
  .map((parts) => (scope) => parts.map((part) => part(scope)).join(' '));
const projection: fc.Arbitrary<Part> = fc
  .array(
    fc.oneof(
      path,
      fc.constant<Part>((scope) => scope.name('pk')),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((paths) => (scope) => paths.map((one) => one(scope)).join(', '));

const key = fc.record({
  pk: fc.constantFrom('p', 'q').map((S) => ({ S })),
  sk: fc.constantFrom('-1', '1', '2', '10', '1e1', '3.5').map((N) => ({ N })),
});
const item = fc
  .tuple(
    key,
    fc.dictionary(
      name.filter((plain) => plain !== 'g' && plain !== 'h'),
      value,
      { maxKeys: 5 },
    ),
    fc.option(text),
    fc.option(text),
  )
  .map(([keys, rest, g, h]) => ({
    ...rest,
    ...(g === null ? {} : { g: { S: g || 'a' } }),
    ...(h === null ? {} : { h: { S: h || 'b' } }),
    ...keys,
  }));

function request(
  action: string,
  base: fc.Arbitrary<object>,
  parts: Record<string, fc.Arbitrary<Part | null>>,
) {
  return fc.tuple(base, fc.record(parts)).map(([plain, chosen]): RandomRequest => {
    const scope = new Scope();
    const expressions = Object.entries(chosen).flatMap(([parameter, part]) =>
      part === null ? [] : [[parameter, part(scope)] as const],
    );
    return {
      action,
      input: {
        TableName: 'table',
        ...plain,
        ...Object.fromEntries(expressions),
        ...(Object.keys(scope.names).length > 0 ? { ExpressionAttributeNames: scope.names } : {}),
        ...(Object.keys(scope.values).length > 0 ? { ExpressionAttributeValues: scope.values } : {}),
      },
    };
  });
}

const maybe = (part: fc.Arbitrary<Part>) => fc.option(part, { freq: 2 });
const oldOrNothing = fc.constantFrom('NONE', 'ALL_OLD');
const sortTest: fc.Arbitrary<Part> = fc.oneof(
  fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), literal(number.map((N) => ({ N })))).map(
    ([sign, what]): Part =>
      (scope) =>
        `sk ${sign} ${what(scope)}`,
  ),
  fc.tuple(literal(number.map((N) => ({ N }))), literal(number.map((N) => ({ N })))).map(
    ([low, high]): Part =>
      (scope) =>
        `sk BETWEEN ${low(scope)} AND ${high(scope)}`,
  ),
);
const tableKeys: fc.Arbitrary<Part> = fc
  .tuple(literal(fc.constantFrom('p', 'q').map((S) => ({ S }))), fc.option(sortTest))
  .map(
    ([pk, sort]) =>
      (scope) =>
        `pk = ${pk(scope)}${sort === null ? '' : ` AND ${sort(scope)}`}`,
  );
const indexKeys: fc.Arbitrary<Part> = fc
  .tuple(
    literal(text.map((S) => ({ S }))),
    fc.option(fc.tuple(fc.constantFrom('=', '<', '>='), literal(text.map((S) => ({ S }))))),
  )
  .map(
    ([g, sort]) =>
      (scope) =>
        `g = ${g(scope)}${sort === null ? '' : ` AND h ${sort[0]} ${sort[1](scope)}`}`,
  );

export const randomRequest: fc.Arbitrary<RandomRequest> = fc.oneof(
  {
    weight: 5,
    arbitrary: request('PutItem', fc.record({ Item: item, ReturnValues: oldOrNothing }), {
      ConditionExpression: maybe(condition),
    }),
  },
  {
    weight: 8,
    arbitrary: request(
      'UpdateItem',
      fc.record({
        Key: key,
        ReturnValues: fc.constantFrom('NONE', 'ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW'),
      }),
      { UpdateExpression: update, ConditionExpression: maybe(condition) },
    ),
  },
  {
    weight: 2,
    arbitrary: request('DeleteItem', fc.record({ Key: key, ReturnValues: oldOrNothing }), {
      ConditionExpression: maybe(condition),
    }),
  },
  {
    weight: 2,
    arbitrary: request('GetItem', fc.record({ Key: key }), { ProjectionExpression: maybe(projection) }),
  },
  {
    weight: 4,
    arbitrary: request(
      'Query',
      fc.record(
        { ScanIndexForward: fc.boolean(), Limit: fc.integer({ min: 1, max: 4 }), ExclusiveStartKey: key },
        { requiredKeys: ['ScanIndexForward'] },
      ),
      {
        KeyConditionExpression: tableKeys,
        FilterExpression: maybe(condition),
        ProjectionExpression: maybe(projection),
      },
    ),
  },
  {
    weight: 2,
    arbitrary: request('Query', fc.record({ IndexName: fc.constantFrom('all', 'keys', 'some') }), {
      KeyConditionExpression: indexKeys,
      FilterExpression: maybe(condition),
    }),
  },
  {
    weight: 1,
    arbitrary: request(
      'Scan',
      fc.record({ IndexName: fc.constantFrom('all', 'keys', 'some') }, { requiredKeys: [] }),
      { FilterExpression: maybe(condition) },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.array(key, { minLength: 1, maxLength: 4 }).map((Keys) => ({
      action: 'BatchGetItem',
      input: { RequestItems: { table: { Keys } } },
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.oneof(
          item.map((Item) => ({ PutRequest: { Item } })),
          key.map((Key) => ({ DeleteRequest: { Key } })),
        ),
        { minLength: 1, maxLength: 4 },
      )
      .map((table) => ({ action: 'BatchWriteItem', input: { RequestItems: { table } } })),
  },
);
