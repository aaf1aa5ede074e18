/** A bucket as the ledger's export has one. */
export const lockedBucket = {
  BucketName: 'ledger',
  ObjectLockEnabled: true,
  ObjectLockConfiguration: {
    ObjectLockEnabled: 'Enabled',
    Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
  },
};
