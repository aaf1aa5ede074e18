import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../lib/cli/run.ts';
import type { Seal, ShownLine } from '../../lib/contract/ledger.ts';
import { sampleLine, sealAll } from '../support/ledger-samples.ts';
import { organizationId } from '../support/mail-samples.ts';
import { generateKey } from '../../lib/sdk/key.ts';

// Where the operator's credentials come from when no local cloud names them.
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(() => void vi.unstubAllEnvs());

/** A server with a ledger, two items a page. */
function scene(lines: ShownLine[], seals: Seal[]) {
  const asked: { method: string; path: string; body?: unknown }[] = [];
  const printed = { out: '', err: '' };
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const body = request.method === 'GET' ? undefined : await request.json();
    asked.push({
      method: request.method,
      path: `${url.pathname}${url.search}`,
      ...(body !== undefined && { body }),
    });
    const at = Number(url.searchParams.get('page_token') ?? 0);
    const page = <Item>(name: string, all: Item[]) => ({
      [name]: all.slice(at, at + 2),
      count: 2,
      ...(at + 2 < all.length && { next_page_token: String(at + 2) }),
    });
    if (url.pathname.endsWith('/seals')) return Response.json(page('seals', seals));
    if (url.pathname.endsWith('/audit')) return Response.json(page('lines', lines));
    if (url.pathname.endsWith('/erasures')) return Response.json({ erased: 3 });
    return Response.json({
      organization_id: organizationId,
      verified: true,
      state: 'active',
      access: 'production',
      bearer_keys: true,
      inbox_count: 0,
      domain_count: 0,
      updated_at: lines[0]!.time,
      created_at: lines[0]!.time,
    });
  };
  const posthorn = (...words: string[]) =>
    run(['--url', 'https://mail.example.com', '--key', JSON.stringify(generateKey()), ...words], {
      env: { AWS_REGION: 'us-east-1' },
      cwd: '/',
      stdin: (async function* () {})(),
      out: (text) => void (printed.out += String(text)),
      err: (text) => void (printed.err += text),
      fetch: send,
    });
  return { posthorn, printed, asked, verdict: () => JSON.parse(printed.out) as Record<string, unknown> };
}

const groups = [[1, 2, 3], [4], [5]].map((numbers) => numbers.map((n) => sampleLine(n)));
const lines = groups.flat();
const seals = sealAll(groups);
const head = { number: 3, hash: seals[2]!.hash };

describe('posthorn audit', () => {
  it.each([
    ['audit', 'verify'],
    ['operator', 'audit', 'verify', organizationId],
  ])('%s verify fetches all and says that all is as it was written', async (...words) => {
    const { posthorn, verdict } = scene(
      lines.map((line) => ({ ...line, personal: { source_ip: '192.0.2.1' } })),
      seals,
    );
    expect(await posthorn(...words)).toBe(0);
    expect(verdict()).toEqual({ organization_id: organizationId, lines: 5, seals: 3, findings: [], head });
  });

  it('exits with 1 when something does not fit, and says what', async () => {
    const { posthorn, verdict, printed } = scene(lines.toSpliced(3, 1), seals);
    expect(await posthorn('audit', 'verify')).toBe(1);
    expect(verdict()['findings']).toEqual([{ kind: 'removed', seal: 2, line_ids: [lines[3]!.line_id] }]);
    expect(printed.err).toContain('not as it was written');
  });

  it('holds the chain against a head known from before', async () => {
    const cut = scene(lines.slice(0, 4), seals.slice(0, 2));
    expect(await cut.posthorn('audit', 'verify')).toBe(0);
    expect(await cut.posthorn('audit', 'verify', '--known-head', `3:${head.hash}`)).toBe(1);
    expect(await cut.posthorn('audit', 'verify', '--known-head', 'three')).toBe(2);
  });

  it('lists with filters, and erases on behalf of the operator', async () => {
    const { posthorn, asked } = scene(lines, seals);
    expect(await posthorn('audit', 'list', '--outcome', 'denied', '--api-key', 'key_1', '--limit', '2')).toBe(
      0,
    );
    expect(await posthorn('operator', 'audit', 'erase', organizationId, '--value', '192.0.2.1')).toBe(0);
    expect(await posthorn('operator', 'audit', 'erase', organizationId)).toBe(2);
    expect(asked).toEqual([
      { method: 'GET', path: '/v0/audit?limit=2&api_key_id=key_1&outcome=denied' },
      {
        method: 'POST',
        path: `/v0/operator/organizations/${organizationId}/audit/erasures`,
        body: { value: '192.0.2.1' },
      },
    ]);
  });
});
