import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server;

/** dynalite in memory, spoken to in DynamoDB's own JSON. */
export async function startOracle() {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const call = async (
    action: string,
    input: object,
  ): Promise<{ output?: any; error?: string; message?: string }> => {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(2000),
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${action}`,
        'x-amz-date': '20200101T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a',
      },
      body: JSON.stringify(input),
    });
    const body = (await response.json()) as any;
    if (response.ok) return { output: body };
    return { error: String(body.__type).split('#')[1]!, message: body.message ?? body.Message };
  };
  return { call, stop: () => new Promise((resolve) => server.close(resolve)) };
}
