import * as z from 'zod';
import type { PolicyDocument, PolicyStatement } from '../cloud.ts';

const oneOrMore = z.union([z.string(), z.array(z.string()).min(1)]);
const conditionValue = z.union([z.string(), z.boolean(), z.number()]);

const statement = z
  .strictObject({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Principal: z
      .union([z.literal('*'), z.strictObject({ AWS: oneOrMore.optional(), Service: oneOrMore.optional() })])
      .optional(),
    Action: oneOrMore.optional(),
    NotAction: oneOrMore.optional(),
    Resource: oneOrMore.optional(),
    NotResource: oneOrMore.optional(),
    Condition: z
      .record(z.string(), z.record(z.string(), z.union([conditionValue, z.array(conditionValue)])))
      .optional(),
  })
  .refine(
    (s) => (s.Action === undefined) !== (s.NotAction === undefined),
    'wants one of Action and NotAction',
  )
  .refine(
    (s) => s.Resource === undefined || s.NotResource === undefined,
    'has both Resource and NotResource',
  );

/** A policy of which every element is enforced here; others, and other kinds of principal, are refused. */
export const enforceablePolicy = z.strictObject({
  Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
  Id: z.string().optional(),
  Statement: z.preprocess((value) => [value].flat(), z.array(statement)),
}) as unknown as z.ZodType<PolicyDocument>;

/** The statements of a document, however many it has. */
export const statementsOf = (document: PolicyDocument): PolicyStatement[] => [document.Statement].flat();
