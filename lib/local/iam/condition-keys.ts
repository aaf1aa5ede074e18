/**
 * Condition keys whose values this machine supplies. A policy that asks for another stops the start: a condition
 * that never sees its value would refuse everything, or, negated, allow everything.
 */
const keys: Record<string, { from: string; many?: true }> = {
  'aws:PrincipalArn': { from: 'caller' },
  'aws:PrincipalAccount': { from: 'caller' },
  'aws:PrincipalType': { from: 'caller' },
  'aws:PrincipalIsAWSService': { from: 'caller' },
  'aws:PrincipalServiceName': { from: 'caller' },
  'aws:username': { from: 'caller' },
  'aws:SourceArn': { from: 'the service that calls' },
  'aws:SourceAccount': { from: 'the service that calls' },
  'aws:SourceOwner': { from: 'the service that calls; the older name in default topic policies' },
  'aws:SecureTransport': { from: 'always true: loopback stands for TLS' },
  'aws:CurrentTime': { from: 'clock' },
  'aws:EpochTime': { from: 'clock' },
  'aws:RequestedRegion': { from: 'cloud' },
  'aws:ResourceAccount': { from: 'cloud' },
  'aws:SourceIp': { from: 'always 127.0.0.1; absent when a service calls' },
  'aws:TagKeys': { from: 'STS AssumeRole', many: true },
  'sts:RoleSessionName': { from: 'STS AssumeRole' },
  'dynamodb:LeadingKeys': { from: 'DynamoDB', many: true },
  'dynamodb:Attributes': { from: 'DynamoDB', many: true },
  's3:prefix': { from: 'S3 listing' },
  's3:delimiter': { from: 'S3 listing' },
  's3:max-keys': { from: 'S3 listing' },
  's3:VersionId': { from: 'S3 calls on one version' },
  's3:object-lock-mode': { from: 'S3 retentions' },
  's3:object-lock-retain-until-date': { from: 'S3 retentions' },
  's3:object-lock-remaining-retention-days': { from: 'S3 retentions' },
  's3:x-amz-acl': { from: 'S3 puts' },
  's3:x-amz-copy-source': { from: 'S3 puts' },
  's3:x-amz-server-side-encryption': { from: 'S3 puts' },
  's3:x-amz-storage-class': { from: 'S3 puts' },
  'events:source': { from: 'EventBridge PutEvents' },
  'events:detail-type': { from: 'EventBridge PutEvents' },
  'ses:FromAddress': { from: 'SES SendEmail' },
  'ses:FromDisplayName': { from: 'SES SendEmail' },
  'ses:FeedbackAddress': { from: 'SES SendEmail' },
  'ses:Recipients': { from: 'SES SendEmail', many: true },
  'route53:ChangeResourceRecordSetsNormalizedRecordNames': { from: 'Route 53', many: true },
  'route53:ChangeResourceRecordSetsRecordTypes': { from: 'Route 53', many: true },
  'route53:ChangeResourceRecordSetsActions': { from: 'Route 53', many: true },
};
/** Keys that end in a tag's key, as in `aws:PrincipalTag/organization`. */
const tagged: Record<string, { from: string }> = {
  'aws:principaltag/': { from: "the session's tags and its role's" },
  'aws:requesttag/': { from: 'STS AssumeRole' },
};
const byLowerCase = new Map(Object.entries(keys).map(([key, about]) => [key.toLowerCase(), about]));

/** What is known of a condition key, whatever its case; undefined when nobody here supplies it. */
export function conditionKey(name: string): { from: string; many?: true } | undefined {
  const key = name.toLowerCase();
  const end = key.indexOf('/') + 1;
  const family = end > 0 && end < key.length ? key.slice(0, end) : '';
  return byLowerCase.get(key) ?? (Object.hasOwn(tagged, family) ? tagged[family] : undefined);
}
