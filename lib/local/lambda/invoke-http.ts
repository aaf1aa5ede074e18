import { randomUUID } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { ServiceRequest, ServiceResponse } from '../cloud.ts';
import type { Lambda } from './lambda.ts';
import { limits } from './limits.ts';

const invocations = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/;

/** The Invoke operation of Lambda's REST-JSON API; others are answered as unknown. */
export async function answerInvoke(lambda: Lambda, request: ServiceRequest): Promise<ServiceResponse> {
  try {
    return await invoke(lambda, request);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return {
      status: error.status,
      headers: {
        'content-type': 'application/json',
        'x-amzn-errortype': error.code,
        'x-amzn-requestid': randomUUID(),
      },
      body: JSON.stringify({ Type: 'User', Message: error.message, ...error.fields }),
    };
  }
}

async function invoke(lambda: Lambda, request: ServiceRequest): Promise<ServiceResponse> {
  const name = invocations.exec(request.path)?.[1];
  if (name === undefined || request.method !== 'POST') {
    throw new AwsError('UnknownOperationException', `${request.method} ${request.path} is not known here`, {
      status: 404,
    });
  }
  const kind = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (kind !== 'RequestResponse' && kind !== 'Event') {
    throw new AwsError('InvalidParameterValueException', `invocation type ${kind} is not known here`);
  }
  const event = parse(await readAll(request));
  const type = kind === 'Event' ? 'event' : 'sync';
  const result = await lambda.invoke(decodeURIComponent(name), event, request.caller, { type });
  return {
    status: result.status,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': result.requestId,
      ...(type === 'sync' && { 'x-amz-executed-version': '$LATEST' }),
      ...(result.functionError !== undefined && { 'x-amz-function-error': result.functionError }),
    },
    body: result.payload ?? '',
  };
}

async function readAll(request: ServiceRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limits.syncRequest) {
      const message = `Request must be smaller than ${limits.syncRequest} bytes for the InvokeFunction operation`;
      throw new AwsError('RequestTooLargeException', message, { status: 413 });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(body: string): unknown {
  try {
    return body === '' ? {} : (JSON.parse(body) as unknown);
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`;
    throw new AwsError('InvalidRequestContentException', message);
  }
}
