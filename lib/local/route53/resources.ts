import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import type { Deployed, Resource, ResourceType } from '../cloud.ts';
import { recordTypes } from '../dns/record-set.ts';
import { ignored } from '../ignored.ts';
import { type Change, readName } from './change-batch.ts';
import type { HostedZone, ZoneStore } from './zone-store.ts';

const recordSet = z.strictObject({
  Name: z.string(),
  Type: z.enum(recordTypes),
  TTL: z.coerce.number().int().min(0).max(2_147_483_647),
  ResourceRecords: z.array(z.string()).min(1),
});
const zoneOf = {
  HostedZoneId: z.string().optional(),
  HostedZoneName: z.string().optional(),
  Comment: ignored('a remark'),
};

export const route53Resources = (zones: ZoneStore, now: () => number): ResourceType[] => [
  single(zones, now),
  group(zones, now),
  hostedZone(zones),
];

function single(zones: ZoneStore, now: () => number): ResourceType {
  const properties = recordSet.extend(zoneOf);
  return {
    type: 'AWS::Route53::RecordSet',
    properties,
    deploy({ properties: wanted }: Resource<z.output<typeof properties>>): Deployed {
      zones.change(zoneFor(zones, wanted, wanted.Name), [upsert(wanted)], now(), 0);
      return { ref: wanted.Name };
    },
  };
}

function group(zones: ZoneStore, now: () => number): ResourceType {
  const properties = z.strictObject({ ...zoneOf, RecordSets: z.array(recordSet).min(1) });
  return {
    type: 'AWS::Route53::RecordSetGroup',
    properties,
    deploy({ properties: wanted, physicalName }: Resource<z.output<typeof properties>>): Deployed {
      const zone = zoneFor(zones, wanted, wanted.RecordSets[0]!.Name);
      zones.change(zone, wanted.RecordSets.map(upsert), now(), 0);
      return { ref: physicalName };
    },
  };
}

function hostedZone(zones: ZoneStore): ResourceType {
  const properties = z.strictObject({
    Name: z.string(),
    HostedZoneConfig: ignored('a remark'),
    HostedZoneTags: ignored('tags have no effect here'),
  });
  return {
    type: 'AWS::Route53::HostedZone',
    properties,
    deploy({ properties: { Name } }: Resource<z.output<typeof properties>>): Deployed {
      const { id, zone } = zones.ensure(Name, true);
      const servers = zone.get(zone.origin, 'NS')?.values.map((server) => server.replace(/\.$/, ''));
      return { ref: id, attributes: { Id: id, NameServers: servers } };
    },
  };
}

/** A later start deploys the same records over themselves, as a stack update would. */
const upsert = (wanted: z.output<typeof recordSet>): Change => ({
  action: 'UPSERT',
  set: { name: readName(wanted.Name), type: wanted.Type, ttl: wanted.TTL, values: wanted.ResourceRecords },
});

function zoneFor(
  zones: ZoneStore,
  wanted: { HostedZoneId?: string | undefined; HostedZoneName?: string | undefined },
  recordName: string,
): HostedZone {
  if (wanted.HostedZoneId !== undefined) return zones.adopt(wanted.HostedZoneId, readName(recordName));
  const found = wanted.HostedZoneName === undefined ? undefined : zones.byName(wanted.HostedZoneName);
  if (found !== undefined) return found;
  throw new AwsError(
    'NoSuchHostedZone',
    `No hosted zone for ${recordName}: give HostedZoneId or HostedZoneName.`,
    { status: 404 },
  );
}
