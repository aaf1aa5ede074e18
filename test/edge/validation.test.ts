import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Problem } from '../../lib/contract/problem.ts';
import { valid, validAll } from '../../lib/edge/validation.ts';

const query = z.object({
  limit: z.coerce.number().max(500).default(50),
  before: z.iso.datetime().optional(),
});
const body = z.strictObject({ name: z.string(), nested: z.object({ size: z.number() }).optional() });

const refusal = (work: () => unknown): Problem => {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  return expect.fail('was valid');
};

describe('query and body', () => {
  it('are read together, each by its schema', () => {
    expect(
      validAll({
        query: { schema: query, value: { limit: '7' } },
        body: { schema: body, value: { name: 'a' } },
      }),
    ).toEqual({ query: { limit: 7 }, body: { name: 'a' } });
    expect(validAll({ query: { schema: query, value: {} } })).toEqual({
      query: { limit: 50 },
      body: undefined,
    });
    expect(validAll({})).toEqual({ query: undefined, body: undefined });
  });

  it('are refused in one answer that names every field of both', () => {
    const problem = refusal(() =>
      validAll({
        query: { schema: query, value: { limit: '501', before: 'yesterday' } },
        body: { schema: body, value: { nested: { size: 'x' }, other: 1 } },
      }),
    );
    expect(problem.code).toBe('validation_error');
    expect(problem.detail.errors!.map(({ path }) => path.join('.'))).toEqual([
      'limit',
      'before',
      'name',
      'nested.size',
      '',
    ]);
    expect(problem.message).toMatch(/^limit: .* \(and 4 more\)$/);
  });

  it('are refused for one of them as that one alone would be', () => {
    const alone = refusal(() => valid(body, {}));
    const together = refusal(() =>
      validAll({ query: { schema: query, value: {} }, body: { schema: body, value: {} } }),
    );
    expect(together.message).toBe(alone.message);
    expect(together.detail).toEqual(alone.detail);
  });

  it('name 50 fields at most', () => {
    const many = z.object(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, z.string()])));
    const problem = refusal(() =>
      validAll({ query: { schema: many, value: {} }, body: { schema: many, value: {} } }),
    );
    expect(problem.detail.errors).toHaveLength(50);
  });
});
