import { describe, expect, it } from 'vitest';
import { Problem, problemBody, problems, type ProblemCode } from '../../lib/contract/problem.ts';
import { routes } from '../../lib/contract/routes.ts';
import { answerAgain, answerProblem, answerValue } from '../../lib/edge/http-answer.ts';
import { problemOf } from '../../lib/sdk/problem-of.ts';

const standing = { limit: 100, remaining: 42, reset: 17 };
const rates = { 'ratelimit-limit': '100', 'ratelimit-remaining': '42', 'ratelimit-reset': '17' };
const now = Date.parse('2026-01-31T12:00:00Z');
const bodyOf = ({ body }: { body?: string | undefined }) => JSON.parse(body!) as Record<string, unknown>;

describe('a refusal', () => {
  it.each(Object.keys(problems) as ProblemCode[])(
    'of %s says what it is, what helps and where it is told',
    (code) => {
      const body = bodyOf(answerProblem(new Problem(code, 'no'), 'req-1'));
      expect(problemBody.strict().parse(body)).toEqual({
        name: problems[code].name,
        code,
        message: 'no',
        fix: problems[code].fix,
        docs: `docs/errors.md#${code}`,
        request_id: 'req-1',
      });
    },
  );

  it('keeps a fix of its own, and says of a limit what it is of', () => {
    const problem = new Problem('limit_exceeded', 'full', { fix: 'Delete one.', resource: 'pods', limit: 0 });
    expect(bodyOf(answerProblem(problem, 'r'))).toMatchObject({
      fix: 'Delete one.',
      resource: 'pods',
      limit: 0,
    });
  });

  it('with 401 challenges by both schemes and gives the server’s time', () => {
    const { headers } = answerProblem(new Problem('signature_expired', 'late'), 'r', { now });
    expect(headers['www-authenticate']).toBe('Signature realm="posthorn", Bearer realm="posthorn"');
    expect(headers['accept-signature']).toContain('"@target-uri"');
    expect(headers['date']).toBe('Sat, 31 Jan 2026 12:00:00 GMT');
    expect(answerProblem(new Problem('not_found', 'x'), 'r').headers).not.toHaveProperty('date');
  });

  it('tells how much of the rate is left, and of a rate that is used up that nothing is', () => {
    expect(answerProblem(new Problem('not_found', 'x'), 'r', { standing }).headers).toMatchObject(rates);
    const detail = { retry_after: 12.2, limit: 9, window: 'minute', resource: 'key requests' } as const;
    const answer = answerProblem(new Problem('rate_limit_exceeded', 'slow', detail), 'r');
    expect(answer.headers).toMatchObject({
      'retry-after': '13',
      'ratelimit-limit': '9',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '13',
    });
    expect(bodyOf(answer)).toMatchObject({ resource: 'key requests', limit: 9, window: 'minute' });
  });

  it('names the methods that are allowed', () => {
    const { headers } = answerProblem(new Problem('method_not_allowed', 'x'), 'r', {
      allow: ['GET', 'POST'],
    });
    expect(headers['allow']).toBe('GET, POST');
  });

  it('is the same problem again in the SDK', async () => {
    const thrown = new Problem('rate_limit_exceeded', 'slow', {
      fix: 'Wait.',
      retry_after: 13,
      resource: 'key requests',
      limit: 9,
      window: 'minute',
    });
    const { statusCode, body, headers } = answerProblem(thrown, 'r');
    const read = await problemOf(new Response(body, { status: statusCode, headers }));
    expect(read).toMatchObject({ code: thrown.code, message: 'slow', detail: thrown.detail });
  });
});

describe('an answer', () => {
  it('tells how much of the rate is left', () => {
    const route = { ...routes['inboxes.messages.delete'] };
    expect(answerValue(route, undefined, 'r', standing)).toMatchObject({ statusCode: 204, headers: rates });
    expect(answerValue(route, undefined, 'r').headers).not.toHaveProperty('ratelimit-limit');
  });

  it('given again is the first one, and says that it is', () => {
    const again = answerAgain({ statusCode: 202, body: '{"a":1}' }, 'req-2', standing);
    expect(again).toMatchObject({ statusCode: 202, body: '{"a":1}' });
    expect(again.headers).toMatchObject({
      ...rates,
      'x-request-id': 'req-2',
      'idempotent-replayed': 'true',
      'content-type': 'application/json; charset=utf-8',
    });
    const empty = answerAgain({ statusCode: 204, body: '' }, 'r');
    expect(empty).not.toHaveProperty('body');
    expect(empty.headers).not.toHaveProperty('content-type');
  });
});
