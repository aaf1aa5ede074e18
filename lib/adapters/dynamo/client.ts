import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** A row as the document client gives it. `v` is the version of its schema. */
export type Row = Record<string, any>;

/** The table and the client every store is built on. */
export interface Database {
  client: DynamoDBDocumentClient;
  tableName: string;
}

/**
 * One client a function; undefined attributes are left out, as an absent member should be. Every object is a map, also
 * one with a member named `constructor`, which the client would take for an instance of a class.
 */
export const openDatabase = (tableName: string, client = new DynamoDBClient({})): Database => ({
  tableName,
  client: DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true, convertClassInstanceToMap: true },
  }),
});

/** Version of the rows this code writes. */
export const rowVersion = 1;
