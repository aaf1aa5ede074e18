import * as z from 'zod';
import { TemplateError } from './template-error.ts';

const value = z.unknown();
const named = <T extends z.ZodType>(schema: T) => z.record(z.string(), schema).default({});

const parameter = z.strictObject({
  Type: z.string(),
  Default: z.union([z.string(), z.number()]).optional(),
  Description: z.string().optional(),
  AllowedValues: z.array(z.union([z.string(), z.number()])).optional(),
  NoEcho: z.boolean().optional(),
});

const resource = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), value).default({}),
  Condition: z.string().optional(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Metadata: z.record(z.string(), value).default({}),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});

const output = z.strictObject({
  Value: value,
  Description: z.string().optional(),
  Condition: z.string().optional(),
  // An export is for other stacks; this machine runs one.
  Export: value.optional(),
});

const template = z.strictObject({
  AWSTemplateFormatVersion: z.literal('2010-09-09').optional(),
  Transform: z.literal('AWS::LanguageExtensions').optional(),
  Description: z.string().optional(),
  Metadata: z.record(z.string(), value).optional(),
  Parameters: named(parameter),
  Rules: z.record(z.string(), value).default({}),
  Mappings: named(z.record(z.string(), z.record(z.string(), value))),
  Conditions: named(value),
  Resources: z.record(z.string(), resource),
  Outputs: named(output),
});

export type Template = z.infer<typeof template>;
export type TemplateResource = z.infer<typeof resource>;

/** What of a template has no meaning on this machine, and why. */
export const ignoredParameters: Record<string, string> = {
  BootstrapVersion: 'says which CDK bootstrap stack an account has; nothing is uploaded here',
};
export const ignoredRules: Record<string, string> = {
  CheckBootstrapVersion: 'checks the CDK bootstrap stack of an account; there is none here',
};

/** The template's sections checked for form. Throws TemplateError naming the path of the first thing unknown. */
export function parseTemplate(source: unknown): Template {
  const parsed = template.safeParse(source);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    throw new TemplateError([...issue.path, ...keys].join('.') || 'template', issue.message);
  }
  for (const name of Object.keys(parsed.data.Rules)) {
    if (!(name in ignoredRules)) throw new TemplateError(`Rules.${name}`, 'rules are not known here');
  }
  return parsed.data;
}
