import * as z from 'zod';
import type { Deployed, Resource, ResourceType } from '../cloud.ts';
import { ignored } from '../ignored.ts';
import type { Catalog } from './store/catalog.ts';
import type { KeyAttribute, KeySchema } from './store/key-schema.ts';
import type { IndexShape, Projection, TableShape } from './store/table.ts';

const keySchema = z
  .array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1)
  .max(2);
const attributeDefinitions = z.array(
  z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
);
const units = ignored('nothing is provisioned here');
const index = z.strictObject({
  IndexName: z.string(),
  KeySchema: keySchema,
  Projection: z.strictObject({
    ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
    NonKeyAttributes: z.array(z.string()).min(1).max(100).optional(),
  }),
  ProvisionedThroughput: units,
  OnDemandThroughput: units,
  WriteProvisionedThroughputSettings: units,
  WriteOnDemandThroughputSettings: units,
  WarmThroughput: units,
  ContributorInsightsSpecification: ignored('there is no CloudWatch here'),
});
const streamView = z.enum(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']);
const shared = {
  TableName: z
    .string()
    .regex(/^[a-zA-Z0-9_.-]{3,255}$/)
    .optional(),
  AttributeDefinitions: attributeDefinitions,
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z.array(index).max(20).optional(),
  BillingMode: z.enum(['PAY_PER_REQUEST', 'PROVISIONED']).optional(),
  TimeToLiveSpecification: z
    .strictObject({ AttributeName: z.string().optional(), Enabled: z.boolean() })
    .optional(),
  SSESpecification: ignored('the file lies on this machine, as safe as its disk'),
  WarmThroughput: units,
};
const perReplica = {
  PointInTimeRecoverySpecification: ignored('copy the home to keep a state of it'),
  ContributorInsightsSpecification: ignored('there is no CloudWatch here'),
  DeletionProtectionEnabled: z.boolean().optional(),
  Tags: ignored('nothing here reads tags'),
  TableClass: ignored('a class is a price'),
};
const replica = z.strictObject({
  ...perReplica,
  Region: z.string(),
  SSESpecification: ignored('the file lies on this machine'),
  GlobalSecondaryIndexes: ignored('settings of throughput and insights for each index'),
  ReadProvisionedThroughputSettings: units,
  ReadOnDemandThroughputSettings: units,
  ReplicaStreamSpecification: z.undefined().optional(),
});
const globalTableProperties = z.strictObject({
  ...shared,
  Replicas: z.array(replica).length(1, 'one replica, in the Region of the stack: there is one Region here'),
  StreamSpecification: z.strictObject({ StreamViewType: streamView }).optional(),
  WriteProvisionedThroughputSettings: units,
  WriteOnDemandThroughputSettings: units,
});
const tableProperties = z.strictObject({
  ...shared,
  ...perReplica,
  StreamSpecification: z.strictObject({ StreamViewType: streamView }).optional(),
  ProvisionedThroughput: units,
  OnDemandThroughput: units,
});
type GlobalTableProperties = z.infer<typeof globalTableProperties>;
type TableProperties = z.infer<typeof tableProperties>;

/** The resource types DynamoDB brings: what CDK's `TableV2` and `Table` make. */
export function resourceTypes(catalog: Catalog, region: string): ResourceType[] {
  return [
    {
      type: 'AWS::DynamoDB::GlobalTable',
      properties: globalTableProperties,
      deploy: (resource: Resource<GlobalTableProperties>) => {
        const [only] = resource.properties.Replicas;
        if (only!.Region !== region) {
          throw new Error(
            `${resource.logicalId}: its replica is in ${only!.Region}, this cloud is ${region}`,
          );
        }
        return deploy(catalog, resource, only!.DeletionProtectionEnabled);
      },
    },
    {
      type: 'AWS::DynamoDB::Table',
      properties: tableProperties,
      deploy: (resource: Resource<TableProperties>) =>
        deploy(catalog, resource, resource.properties.DeletionProtectionEnabled),
    },
  ];
}

function deploy(
  catalog: Catalog,
  resource: Resource<GlobalTableProperties | TableProperties>,
  deletionProtection = false,
): Deployed {
  const table = catalog.deploy({ ...shapeOf(resource), deletionProtection });
  return {
    ref: table.name,
    attributes: {
      Arn: table.arn,
      TableId: table.uuid,
      ...(table.stream === undefined ? {} : { StreamArn: table.stream.arn }),
    },
  };
}

function shapeOf(
  resource: Resource<GlobalTableProperties | TableProperties>,
): Omit<TableShape, 'deletionProtection'> {
  const { logicalId, physicalName, properties } = resource;
  const types = new Map(properties.AttributeDefinitions.map((one) => [one.AttributeName, one.AttributeType]));
  const used = new Set<string>();
  const keys = (schema: z.infer<typeof keySchema>) => keysOf(logicalId, schema, types, used);
  const ttl = properties.TimeToLiveSpecification;
  if (ttl?.Enabled && ttl.AttributeName === undefined) {
    throw new Error(`${logicalId}: TimeToLiveSpecification is enabled without an AttributeName`);
  }
  const shape = {
    name: properties.TableName ?? physicalName,
    keys: keys(properties.KeySchema),
    indexes: (properties.GlobalSecondaryIndexes ?? []).map((one): IndexShape => ({
      name: one.IndexName,
      keys: keys(one.KeySchema),
      projection: projectionOf(logicalId, one),
    })),
    streamView: properties.StreamSpecification?.StreamViewType,
    ttlAttribute: ttl?.Enabled ? ttl.AttributeName : undefined,
  };
  const unused = [...types.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) {
    throw new Error(`${logicalId}: AttributeDefinitions names ${unused.join(', ')}, which no key uses`);
  }
  return shape;
}

function keysOf(
  logicalId: string,
  schema: z.infer<typeof keySchema>,
  types: Map<string, KeyAttribute['type']>,
  used: Set<string>,
): KeySchema {
  const part = (name: string): KeyAttribute => {
    const type = types.get(name);
    if (type === undefined)
      throw new Error(`${logicalId}: AttributeDefinitions lacks the key attribute ${name}`);
    used.add(name);
    return { name, type };
  };
  const [hash, range] = schema;
  if (hash!.KeyType !== 'HASH' || (range !== undefined && range.KeyType !== 'RANGE')) {
    throw new Error(`${logicalId}: a KeySchema is one HASH element, then at most one RANGE element`);
  }
  return {
    hash: part(hash!.AttributeName),
    ...(range === undefined ? {} : { range: part(range.AttributeName) }),
  };
}

function projectionOf(logicalId: string, { IndexName, Projection }: z.infer<typeof index>): Projection {
  const { ProjectionType: type, NonKeyAttributes: attributes } = Projection;
  if (type === 'INCLUDE' && attributes !== undefined) return { type, attributes };
  if (type !== 'INCLUDE' && attributes === undefined) return { type };
  throw new Error(`${logicalId}: index ${IndexName} has NonKeyAttributes exactly when it projects INCLUDE`);
}
