import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NameService } from '../../../lib/local/dns/name-service.ts';
import { resolverOf } from '../../../lib/local/dns/resolver.ts';
import { Route53 } from '../../../lib/local/route53/route53.ts';
import { badWeather } from '../../../lib/local/weather.ts';
import { deploy, removeHome, serve, stubCloud } from '../../support/service-endpoint.ts';

let cloud: Awaited<ReturnType<typeof stubCloud>>;
let names: NameService;
let route53: Route53;
let endpoint: Awaited<ReturnType<typeof serve>>;
const DOMAIN = 'posthorn.test';

beforeEach(async () => {
  cloud = await stubCloud();
  await begin();
  await deploy(route53, 'AWS::Route53::RecordSet', record('posthorn.test.', 'MX', '10 mx.posthorn.test.'));
});
afterEach(async () => {
  await end();
  await removeHome(cloud);
});

async function begin() {
  names = new NameService();
  route53 = new Route53({ cloud, names, domain: DOMAIN });
  endpoint = await serve(route53);
}
async function end() {
  await endpoint.close();
  await route53.stop();
}

const record = (Name: string, Type: string, ...ResourceRecords: string[]) => ({
  HostedZoneId: 'Z123',
  Name,
  Type,
  TTL: '300',
  ResourceRecords,
});
const resolve = (name: string, type: string) => resolverOf(names)(name, type);

const change = (action: string, name: string, type: string, values: string[], ttl = 300) =>
  `<Change><Action>${action}</Action><ResourceRecordSet><Name>${name}</Name><Type>${type}</Type><TTL>${ttl}</TTL><ResourceRecords>` +
  values
    .map(
      (value) =>
        `<ResourceRecord><Value>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</Value></ResourceRecord>`,
    )
    .join('') +
  '</ResourceRecords></ResourceRecordSet></Change>';

async function post(...changes: string[]) {
  cloud.clock.advance(1_000);
  const body = `<?xml version="1.0"?><ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/">
    <ChangeBatch>
      <Changes>${changes.join('\n')}</Changes>
    </ChangeBatch></ChangeResourceRecordSetsRequest>`;
  const response = await fetch(`${endpoint.url}/2013-04-01/hostedzone/Z123/rrset/`, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
}
const get = async (path: string) => {
  cloud.clock.advance(1_000);
  const response = await fetch(`${endpoint.url}/2013-04-01/${path}`);
  return { status: response.status, text: await response.text() };
};

describe('records of the template', () => {
  it('are in DNS, the wildcard too, and after a restart', async () => {
    await deploy(route53, 'AWS::Route53::RecordSetGroup', {
      HostedZoneName: 'posthorn.test.',
      RecordSets: [
        { Name: '*.posthorn.test', Type: 'MX', TTL: 60, ResourceRecords: ['10 mx.posthorn.test.'] },
        {
          Name: '_dmarc.posthorn.test',
          Type: 'TXT',
          TTL: '60',
          ResourceRecords: ['"v=DMARC1; p=quarantine"'],
        },
      ],
    });
    await end();
    await begin();
    expect(await resolve('posthorn.test', 'MX')).toMatchObject([
      { priority: 10, exchange: 'mx.posthorn.test' },
    ]);
    expect(await resolve('agents.posthorn.test', 'MX')).toHaveLength(1);
    expect(await resolve('_dmarc.posthorn.test', 'TXT')).toEqual([['v=DMARC1; p=quarantine']]);
    // The id of the template is the zone's for good.
    await deploy(route53, 'AWS::Route53::RecordSet', record('a.posthorn.test', 'A', '127.0.0.1'));
    await expect(
      deploy(route53, 'AWS::Route53::RecordSet', {
        ...record('b.posthorn.test', 'A', '127.0.0.1'),
        HostedZoneId: 'Z999',
      }),
    ).rejects.toThrow('No hosted zone found with ID: Z999');
  });

  it.each([
    ['outside its zone', record('elsewhere.test', 'A', '127.0.0.1'), 'not permitted in zone'],
    ['a CNAME at the apex', record('posthorn.test', 'CNAME', 'x.test'), 'not permitted at apex'],
    ['an unquoted text', record('t.posthorn.test', 'TXT', 'v=spf1 -all'), 'quotation marks'],
    ['a bad address', record('t.posthorn.test', 'A', '300.0.0.1'), 'not a valid IPv4'],
  ])('are refused for %s', async (_, properties, message) => {
    await expect(deploy(route53, 'AWS::Route53::RecordSet', properties)).rejects.toThrow(message);
  });

  it('stop the start where a property would change what they mean', async () => {
    const alias = { ...record('a.posthorn.test', 'A', '127.0.0.1'), AliasTarget: { DNSName: 'x' } };
    await expect(deploy(route53, 'AWS::Route53::RecordSet', alias)).rejects.toThrow(/AliasTarget/);
  });

  it('may have a zone of their own', async () => {
    const zone = await deploy(route53, 'AWS::Route53::HostedZone', { Name: 'agents.test' });
    expect(zone).toMatchObject({
      ref: zone.attributes!['Id'],
      attributes: { NameServers: ['ns1.agents.test'] },
    });
    await deploy(route53, 'AWS::Route53::RecordSet', {
      ...record('mail.agents.test', 'A', '127.0.0.3'),
      HostedZoneId: zone.ref,
    });
    expect(await resolve('mail.agents.test', 'A')).toEqual(['127.0.0.3']);
  });
});

describe('a change batch', () => {
  it('is all or nothing', async () => {
    const bad = await post(
      change('CREATE', 'new.posthorn.test', 'A', ['127.0.0.2']),
      change('CREATE', 'posthorn.test', 'MX', ['5 x.test']),
    );
    expect(bad.status).toBe(400);
    expect(bad.text).toContain('<Code>InvalidChangeBatch</Code>');
    expect(bad.text).toContain(
      "Tried to create resource record set [name='posthorn.test.', type='MX'] but it already exists",
    );
    await expect(resolve('new.posthorn.test', 'A')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('creates, replaces and deletes, the deletion only with the exact values', async () => {
    expect((await post(change('CREATE', 'x.posthorn.test', 'TXT', ['"one"', '"two"']))).status).toBe(200);
    expect(await resolve('x.posthorn.test', 'TXT')).toEqual([['one'], ['two']]);
    await post(change('UPSERT', 'X.posthorn.test.', 'TXT', ['"three"']));
    expect(await resolve('x.posthorn.test', 'TXT')).toEqual([['three']]);
    expect((await post(change('DELETE', 'x.posthorn.test', 'TXT', ['"one"']))).text).toContain(
      'do not match the current values',
    );
    expect((await post(change('DELETE', 'y.posthorn.test', 'TXT', ['"one"']))).text).toContain(
      'but it was not found',
    );
    expect((await post(change('DELETE', 'x.posthorn.test', 'TXT', ['"three"']))).status).toBe(200);
    await expect(resolve('x.posthorn.test', 'TXT')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('may swap a CNAME for another type, but not have both', async () => {
    await post(change('CREATE', 'c.posthorn.test', 'CNAME', ['x.test']));
    expect((await post(change('CREATE', 'c.posthorn.test', 'TXT', ['"t"']))).text).toContain(
      'conflicting RRSet of type CNAME',
    );
    const swap = await post(
      change('DELETE', 'c.posthorn.test', 'CNAME', ['x.test']),
      change('CREATE', 'c.posthorn.test', 'TXT', ['"t"']),
    );
    expect(swap.status).toBe(200);
  });

  it('has limits', async () => {
    const many = Array.from({ length: 501 }, (_, at) =>
      change('UPSERT', `n${at}.posthorn.test`, 'A', ['127.0.0.1']),
    );
    expect((await post(...many)).text).toContain('Number of records limit of 1000 exceeded');
    expect((await post('<Change/>')).text).toContain('<Code>InvalidInput</Code>');
  });

  it('is pending while it travels', async () => {
    const changed = await post(change('CREATE', 'x.posthorn.test', 'A', ['127.0.0.1']));
    const id = /<Id>\/change\/(C\w+)<\/Id><Status>INSYNC</.exec(changed.text)![1];
    expect((await get(`change/${id}`)).text).toContain('<Status>INSYNC</Status>');
    expect(await get('change/CNONE')).toMatchObject({
      status: 404,
      text: expect.stringContaining('NoSuchChange'),
    });
    Object.assign(cloud, { weather: badWeather(1, { delay: 1 }) });
    const slow = await post(change('CREATE', 'y.posthorn.test', 'A', ['127.0.0.1']));
    const slowId = /<Id>\/change\/(C\w+)<\/Id><Status>PENDING</.exec(slow.text)![1];
    cloud.clock.advance(30_000);
    expect((await get(`change/${slowId}`)).text).toContain('<Status>INSYNC</Status>');
  });
});

it('lists records page by page from a name, wildcards escaped', async () => {
  await post(
    change('CREATE', '*.posthorn.test', 'A', ['127.0.0.1']),
    change('CREATE', 'a.posthorn.test', 'TXT', ['"<&>"']),
  );
  const first = await get('hostedzone/Z123/rrset?maxitems=3');
  expect(first.text).toContain('<IsTruncated>true</IsTruncated>');
  expect(first.text).toContain(
    '<NextRecordName>\\052.posthorn.test.</NextRecordName><NextRecordType>A</NextRecordType>',
  );
  const rest = await get(`hostedzone/Z123/rrset?name=${encodeURIComponent('\\052.posthorn.test.')}&type=A`);
  expect([...rest.text.matchAll(/<Name>(.*?)<\/Name>/g)].map(([, name]) => name)).toEqual([
    '\\052.posthorn.test.',
    'a.posthorn.test.',
  ]);
  expect(rest.text).toContain('<Value>&quot;&lt;&amp;&gt;&quot;</Value>');
  expect(await get('hostedzone/ZNONE/rrset')).toMatchObject({
    status: 404,
    text: expect.stringContaining('NoSuchHostedZone'),
  });
});

it('asks for the grant, naming what would change, and takes five calls a second', async () => {
  await post(change('UPSERT', '*.posthorn.test', 'A', ['127.0.0.1']));
  expect(cloud.asked.at(-1)).toMatchObject({
    action: 'route53:ChangeResourceRecordSets',
    resource: 'arn:aws:route53:::hostedzone/Z123',
    context: {
      'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['\\052.posthorn.test'],
      'route53:ChangeResourceRecordSetsRecordTypes': ['A'],
      'route53:ChangeResourceRecordSetsActions': ['UPSERT'],
    },
  });
  cloud.deny = ({ action }) => action === 'route53:ListResourceRecordSets';
  expect((await get('hostedzone/Z123/rrset')).text).toContain('<Code>AccessDenied</Code>');
  cloud.clock.advance(2_000);
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => fetch(`${endpoint.url}/2013-04-01/change/CNONE`)),
  );
  expect(answers.filter(({ status }) => status === 404).length).toBeGreaterThanOrEqual(5);
  expect(answers.filter(({ status }) => status === 400).length).toBeGreaterThanOrEqual(5);
});
