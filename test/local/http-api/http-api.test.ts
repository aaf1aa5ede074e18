import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Clock } from '../../../lib/local/clock.ts';
import { operator } from '../lambda/lambda-house.ts';
import { ApiHouse } from './api-house.ts';

let house: ApiHouse;
beforeAll(async () => {
  house = await ApiHouse.open();
  await house.addRoute('ANY /v0/{proxy+}');
  await house.addRoute('ANY /v0/operator/{proxy+}', { iam: true });
  await house.addRoute('GET /health');
  await house.addRoute('POST /slow', { timeout: 50 });
});
afterAll(() => house.close());

describe('the event', () => {
  it('has payload format 2.0 to the letter', async () => {
    const { json } = await house.send({
      method: 'POST',
      path: '/v0/inboxes/ann%40posthorn.test?label=a&label=b&q=x%20y&empty=',
      headers: [
        'X-Twice',
        'one',
        'Content-Type',
        'application/json',
        'x-twice',
        'two',
        'Cookie',
        'a=1; b=2,3',
        'User-Agent',
        'test/1',
        'Host',
        'api.posthorn.test',
      ],
      body: '{"hello":"wörld"}',
    });
    const { requestContext } = json;
    expect(json).toEqual({
      version: '2.0',
      routeKey: 'ANY /v0/{proxy+}',
      rawPath: '/v0/inboxes/ann@posthorn.test',
      rawQueryString: 'label=a&label=b&q=x%20y&empty=',
      cookies: ['a=1', 'b=2,3'],
      headers: {
        'content-length': '18',
        'content-type': 'application/json',
        host: 'api.posthorn.test',
        'user-agent': 'test/1',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': String(house.port),
        'x-forwarded-proto': 'http',
        'x-twice': 'one,two',
      },
      queryStringParameters: { label: 'a,b', q: 'x y', empty: '' },
      pathParameters: { proxy: 'inboxes/ann@posthorn.test' },
      requestContext: {
        accountId: '000000000000',
        apiId: house.id,
        domainName: `${house.id}.execute-api.us-east-1.amazonaws.com`,
        domainPrefix: house.id,
        http: {
          method: 'POST',
          path: '/v0/inboxes/ann@posthorn.test',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'test/1',
        },
        requestId: expect.stringMatching(/^[\w-]{15}=$/),
        routeKey: 'ANY /v0/{proxy+}',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      body: '{"hello":"wörld"}',
      isBase64Encoded: false,
    });
    expect(Math.abs(requestContext.timeEpoch - Date.now())).toBeLessThan(10_000);
    expect(house.id).toMatch(/^[a-z0-9]{10}$/);
  });

  it('has no body, query, cookies or parameters where there are none', async () => {
    const { json } = await house.send({ path: '/health' });
    const absent = ['body', 'queryStringParameters', 'cookies', 'pathParameters', 'stageVariables'];
    expect(Object.keys(json).filter((key) => absent.includes(key))).toEqual([]);
    expect(json).toMatchObject({ rawQueryString: '', isBase64Encoded: false, routeKey: 'GET /health' });
  });

  it.each([
    ['/v0/a%40b', '/v0/a@b'],
    ['/v0/a%2Fb', '/v0/a/b'],
    ['/v0/a%20b', '/v0/a b'],
    ['/v0/a+b', '/v0/a+b'],
    ['/v0/a%2Bb', '/v0/a+b'],
    ['/v0/a%2540b', '/v0/a%40b'],
    ['/v0/%C3%BC', '/v0/ü'],
    ['/v0/a%3Fb', '/v0/a'],
    ['/v0/a%23b', '/v0/a#b'],
    ["/v0/!$&'()*,;=:@", "/v0/!$&'()*,;=:@"],
  ])('decodes the path %s once', async (path, rawPath) => {
    const { json } = await house.send({ path: `${path}?x=%2F` });
    expect(json).toMatchObject({
      rawPath,
      rawQueryString: 'x=%2F',
      pathParameters: { proxy: rawPath.slice('/v0/'.length) },
      requestContext: { http: { path: rawPath } },
    });
  });

  it.each([
    ['application/json; charset=utf-8', '{}', '{}', false],
    ['text/plain', 'hello', 'hello', false],
    ['application/problem+json', '{}', '{}', false],
    ['application/x-www-form-urlencoded', 'a=1', 'YT0x', true],
    ['application/octet-stream', Buffer.from([0xff, 0]), '/wA=', true],
    ['text/plain', Buffer.from([0xff, 0]), '/wA=', true],
  ])('carries a body of %s', async (type, body, carried, isBase64Encoded) => {
    const { json } = await house.send({
      method: 'PUT',
      path: '/v0/x',
      headers: { 'content-type': type },
      body,
    });
    expect(json).toMatchObject({ body: carried, isBase64Encoded });
  });
});

describe('the answer', () => {
  const answered = (answer: unknown, method = 'GET') =>
    house.send({ method, path: '/v0/x', headers: { 'x-answer': JSON.stringify(answer) } });

  it('takes status, headers, cookies and body from the function', async () => {
    const answer = await answered({
      statusCode: 201,
      headers: {
        'X-Custom': 'Yes',
        'content-type': 'application/xml',
        'content-length': '999',
        'x-number': 1,
      },
      cookies: ['a=1', 'b=2'],
      body: '<a/>',
    });
    expect(answer).toMatchObject({ status: 201, text: '<a/>' });
    expect(answer.headers).toMatchObject({
      'x-custom': 'Yes',
      'x-number': '1',
      'content-type': 'application/xml',
      'content-length': '4',
      'set-cookie': ['a=1', 'b=2'],
      'apigw-requestid': expect.any(String),
    });
  });

  it('is inferred from a plain value', async () => {
    expect(await answered({ hello: 1 })).toMatchObject({ status: 200, json: { hello: 1 } });
    const words = await answered('words');
    expect(words).toMatchObject({
      status: 200,
      text: 'words',
      headers: { 'content-type': 'application/json' },
    });
  });

  it('decodes base64 and has a type when the function gives none', async () => {
    const answer = await answered({ statusCode: 200, body: 'aGk=', isBase64Encoded: true });
    expect(answer).toMatchObject({ text: 'hi', headers: { 'content-type': 'text/plain;charset=UTF-8' } });
  });

  it('has no body for HEAD and 204, and the right length', async () => {
    const head = await answered({ statusCode: 200, body: 'hello' }, 'HEAD');
    expect(head).toMatchObject({ text: '', headers: { 'content-length': '5' } });
    const none = await answered({ statusCode: 204 });
    expect(none).toMatchObject({ status: 204, text: '' });
    expect(none.headers['content-length']).toBeUndefined();
  });

  it.each([
    { statusCode: 'no' },
    { statusCode: 99 },
    { statusCode: 200, body: { an: 'object' } },
    { statusCode: 200, headers: { a: ['list'] } },
    { statusCode: 200, cookies: 'a=1' },
  ])('is 500 for %j', async (answer) => {
    expect(await answered(answer)).toMatchObject({ status: 500, json: { message: 'Internal Server Error' } });
  });

  it('is 500 when the function fails', async () => {
    const failed = await house.send({ path: '/v0/x', headers: { 'x-fail': '1' } });
    expect(failed).toMatchObject({ status: 500, json: { message: 'Internal Server Error' } });
  });

  it('is 503 when the function takes too long', async () => {
    const late = await house.send({ method: 'POST', path: '/slow', headers: { 'x-hang': '1' } });
    expect(late).toMatchObject({ status: 503, json: { message: 'Service Unavailable' } });
  });
});

describe('routes', () => {
  it.each([
    ['GET', '/nowhere', 404, 'Not Found'],
    ['POST', '/health', 404, 'Not Found'],
    ['GET', '/v0', 404, 'Not Found'],
    ['GET', '/v0/', 404, 'Not Found'],
    ['GET', '/health/', 404, 'Not Found'],
    ['GET', '/v0/%zz', 400, 'Bad Request'],
    ['GET', '/v0/operator/organizations', 403, 'Forbidden'],
    ['GET', '/v0/%6Fperator/organizations', 403, 'Forbidden'],
  ])('%s %s is %i', async (method, path, status, message) => {
    expect(await house.send({ method, path })).toMatchObject({ status, json: { message } });
  });

  it('with IAM authorization know who signed', async () => {
    house.caller = operator;
    const { json } = await house.send({
      method: 'POST',
      path: '/v0/operator/a%40b?x=%20',
      headers: { 'content-type': 'text/plain', authorization: 'AWS4-HMAC-SHA256 …'.slice(0, 16) },
      body: 'hi',
    });
    house.caller = undefined;
    expect(json.requestContext.authorizer).toEqual({
      iam: {
        accessKey: 'OP',
        accountId: '000000000000',
        callerId: 'OP',
        cognitoIdentity: null,
        principalOrgId: null,
        userArn: 'arn:aws:iam::000000000000:user/operator',
        userId: 'OP',
      },
    });
    const checked = house.signed.at(-1)!;
    expect(checked).toMatchObject({ method: 'POST', path: '/v0/operator/a%40b', rawQuery: 'x=%20' });
    expect(checked.headers).toMatchObject({ authorization: 'AWS4-HMAC-SHA256', connection: 'close' });
    expect(checked.body.toString()).toBe('hi');
    const asked = house.lambdas.cloud.asked.find(({ action }) => action === 'execute-api:Invoke')!;
    expect(asked.resource).toBe(
      `arn:aws:execute-api:us-east-1:000000000000:${house.id}/$default/POST/v0/operator/a@b`,
    );
  });

  it('with IAM authorization refuse whom IAM refuses', async () => {
    house.caller = operator;
    house.lambdas.cloud.deny = ({ action }) => action === 'execute-api:Invoke';
    expect(await house.send({ path: '/v0/operator/x' })).toMatchObject({
      status: 403,
      json: { message: 'Forbidden' },
    });
    house.lambdas.cloud.deny = () => false;
    house.caller = undefined;
  });

  it('call the function as API Gateway, by the route as it is written, and fail without its permission', async () => {
    house.lambdas.cloud.deny = ({ action }) => action === 'lambda:InvokeFunction';
    const refused = await house.send({ path: '/v0/x' });
    house.lambdas.cloud.deny = () => false;
    expect(refused).toMatchObject({ status: 500, json: { message: 'Internal Server Error' } });
    expect(house.lambdas.cloud.asked.at(-1)!.caller).toEqual({
      kind: 'service',
      service: 'apigateway.amazonaws.com',
      sourceArn: `arn:aws:execute-api:us-east-1:000000000000:${house.id}/$default/GET/v0/{proxy+}`,
      sourceAccount: '000000000000',
    });
  });
});

describe('a request with two Host headers', () => {
  it('is refused: which one counts would be a guess (RFC 9112 §3.2)', async () => {
    const headers = ['host', 'a.test', 'host', 'b.test'];
    expect(await house.send({ path: '/health', headers })).toMatchObject({
      status: 400,
      json: { message: 'Bad Request' },
    });
  });
});

describe('limits', () => {
  const requestLine = 'GET /health HTTP/1.1'.length;

  it('are 10,240 bytes of request line and header values', async () => {
    const room = 10_240 - requestLine - `127.0.0.1:${house.port}`.length - 'close'.length;
    const headers = (size: number) => ({ 'x-long': 'x'.repeat(size) });
    expect((await house.send({ path: '/health', headers: headers(room) })).status).toBe(200);
    const over = await house.send({ path: '/health', headers: headers(room + 1) });
    expect(over).toMatchObject({ status: 431, json: { message: 'Request Header Fields Too Large' } });
    expect((await house.send({ path: '/health', headers: headers(80_000) })).status).toBe(431);
  });

  it('are 10 MB of body, and what Lambda takes', async () => {
    const put = (size: number, headers: Record<string, string> = {}) =>
      house.send({
        method: 'PUT',
        path: '/v0/x',
        headers: { ...headers, 'x-answer': '1' },
        body: 'x'.repeat(size),
      });
    expect((await put(5_000_000, { 'content-type': 'text/plain' })).status).toBe(200);
    const tooLarge = { status: 413, json: { message: 'Request Entity Too Large' } };
    // In base64 it is over the 6 MB of an invocation.
    expect(await put(5_000_000)).toMatchObject(tooLarge);
    expect(await put(10 * 1024 * 1024 + 1)).toMatchObject(tooLarge);
  });

  it('are the 10 MB also for a body of unknown length', async () => {
    const socket = connect(house.port, '127.0.0.1');
    socket.write('PUT /v0/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    for (let megabyte = 0; megabyte < 11; megabyte++) socket.write(chunk);
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())),
    );
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1.1 413/);
  });

  it('of the stage are a token bucket', async () => {
    const throttled = await ApiHouse.open({
      stage: { DefaultRouteSettings: { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 } },
      cloud: { clock: new Clock(() => 1_000_000) },
    });
    await throttled.addRoute('$default');
    const statuses = [];
    for (let attempt = 0; attempt < 3; attempt++) statuses.push((await throttled.send({ path: '/' })).status);
    throttled.lambdas.cloud.clock.advance(1_000);
    statuses.push((await throttled.send({ path: '/' })).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
    await throttled.close();
  });
});

describe('cross-origin requests', () => {
  it('are answered by the API as configured', async () => {
    const open = await ApiHouse.open({
      api: { CorsConfiguration: { AllowOrigins: ['https://a.test'], AllowMethods: ['GET'], MaxAge: 5 } },
    });
    await open.addRoute('$default');
    const headers = { origin: 'https://a.test', 'access-control-request-method': 'GET' };
    const asked = await open.send({ method: 'OPTIONS', path: '/any', headers });
    expect(asked).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': 'https://a.test', 'access-control-allow-methods': 'GET' },
    });
    const own = JSON.stringify({ statusCode: 200, headers: { 'access-control-allow-origin': '*' } });
    const foreign = await open.send({ path: '/any', headers: { origin: 'https://b.test', 'x-answer': own } });
    expect(foreign.headers['access-control-allow-origin']).toBeUndefined();
    await open.close();
  });
});

describe('deploying', () => {
  const base = { ApiId: 'x', IntegrationType: 'AWS_PROXY', IntegrationUri: 'u', PayloadFormatVersion: '2.0' };
  it.each([
    ['Api', { Name: 'a', ProtocolType: 'WEBSOCKET' }, /HTTP/],
    ['Api', { Name: 'a', ProtocolType: 'HTTP', DisableExecuteApiEndpoint: true }, /no other endpoint/],
    ['Stage', { ApiId: 'x', StageName: 'prod', AutoDeploy: true }, /only the \$default stage/],
    ['Integration', { ...base, TimeoutInMillis: 30_001 }, /30000/],
    ['Integration', { ...base, CredentialsArn: 'arn' }, /Lambda permission/],
    ['Integration', { ...base, RequestParameters: {} }, /RequestParameters/],
    [
      'Route',
      { ApiId: 'x', RouteKey: 'GET /', Target: 'integrations/a', AuthorizationType: 'JWT' },
      /AWS_IAM/,
    ],
  ])('refuses %s %j', (kind, properties, reason) => {
    expect(() => house.deploy(kind, 'Logical', properties)).toThrow(reason);
  });

  it('refuses a second route of the same key and a route to nothing', async () => {
    await expect(house.addRoute('GET /health')).rejects.toThrow(
      "the API already has the route 'GET /health'",
    );
    const properties = { ApiId: house.id, RouteKey: 'GET /', Target: 'integrations/none' };
    expect(() => house.deploy('Route', 'Nothing', properties)).toThrow('there is no integration none');
  });

  it('answers 404 until a stage is there, and ends cleanly with a connection open', async () => {
    const bare = await ApiHouse.open();
    expect(await bare.send({ path: '/x' })).toMatchObject({ status: 404, json: { message: 'Not Found' } });
    const idle = connect(bare.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const closed = new Promise((resolve) => idle.once('close', resolve));
    await bare.close();
    await closed;
  });
});
