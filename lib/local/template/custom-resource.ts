import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Deployed } from '../cloud.ts';
import type { StackState } from './stack-state.ts';

/** A one-time address at which a function answers CloudFormation. */
export interface AnswerBox {
  url: string;
  /** The body that was put there. */
  answer: Promise<string>;
  close(): void;
}

export interface CustomResourceDeps {
  stackId: string;
  state: StackState;
  openAnswerBox(): AnswerBox;
  /** Runs the function to its end; rejects when it is not there, fails or times out. */
  invoke(functionArn: string, event: unknown): Promise<unknown>;
  print(line: string): void;
}

type RequestType = 'Create' | 'Update' | 'Delete';
type Properties = Record<string, unknown>;

const answerSchema = z.object({
  Status: z.enum(['SUCCESS', 'FAILED']),
  Reason: z.string().optional(),
  PhysicalResourceId: z.string().min(1).max(1024).optional(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  NoEcho: z.boolean().optional(),
  Data: z.record(z.string(), z.unknown()).nullish(),
});
type Answer = z.infer<typeof answerSchema>;

/** Resources that a function of the stack creates, asked as CloudFormation asks. */
export class CustomResources {
  readonly #deps: CustomResourceDeps;

  constructor(deps: CustomResourceDeps) {
    this.#deps = deps;
  }

  /** Create on the first start of a home, Update when the properties changed, otherwise what was answered then. */
  async deploy(logicalId: string, type: string, properties: Properties): Promise<Deployed> {
    const { state } = this.#deps;
    const serviceToken = z
      .string()
      .parse(properties['ServiceToken'], { error: () => 'ServiceToken must be an ARN' });
    const wanted = asStrings(properties) as Properties;
    const before = state.custom(logicalId);
    if (before !== undefined && isDeepStrictEqual(before.properties, wanted)) return deployedFrom(before);
    const update = before && {
      PhysicalResourceId: before.physicalId,
      OldResourceProperties: before.properties,
    };
    const answer = await this.#ask(update ? 'Update' : 'Create', logicalId, type, wanted, update ?? {});
    const physicalId = answer.PhysicalResourceId ?? before?.physicalId;
    if (physicalId === undefined)
      throw new Error('the function answered SUCCESS without a PhysicalResourceId');
    const now = { type, serviceToken, physicalId, properties: wanted, attributes: answer.Data ?? {} };
    state.remember(logicalId, now);
    // Another physical id means that the function replaced the resource: CloudFormation then deletes the old one.
    if (before !== undefined && before.physicalId !== physicalId) {
      await this.#ask('Delete', logicalId, type, before.properties, {
        PhysicalResourceId: before.physicalId,
      });
    }
    return deployedFrom(now);
  }

  /** Asks the functions of custom resources that left the template to delete them. */
  async removeAllBut(present: ReadonlySet<string>): Promise<void> {
    const { state, print } = this.#deps;
    for (const logicalId of state.customIds().filter((id) => !present.has(id))) {
      const gone = state.custom(logicalId)!;
      try {
        await this.#ask('Delete', logicalId, gone.type, gone.properties, {
          PhysicalResourceId: gone.physicalId,
        });
      } catch (error) {
        // Its function may have left with it: CloudFormation would have deleted the resource first.
        print(`${logicalId} left the template and was not deleted: ${(error as Error).message}`);
      }
      state.forget(logicalId);
    }
  }

  async #ask(
    request: RequestType,
    logicalId: string,
    type: string,
    properties: Properties,
    more: Properties,
  ) {
    const { stackId, openAnswerBox, invoke } = this.#deps;
    const box = openAnswerBox();
    const event = {
      RequestType: request,
      ServiceToken: properties['ServiceToken'],
      ResponseURL: box.url,
      StackId: stackId,
      RequestId: randomUUID(),
      LogicalResourceId: logicalId,
      ResourceType: type,
      ...more,
      ResourceProperties: properties,
    };
    try {
      const silence = invoke(String(properties['ServiceToken']), event).then(() => {
        throw new Error(`the function ended without answering the ${request} request`);
      });
      // The answer stands even when the function fails afterwards, as on AWS.
      const body = await Promise.race([box.answer, silence]);
      return this.#check(body, event, request);
    } finally {
      box.close();
    }
  }

  #check(
    body: string,
    event: Pick<Answer, 'StackId' | 'RequestId' | 'LogicalResourceId'>,
    request: RequestType,
  ) {
    // CloudFormation's limit for a response body.
    if (Buffer.byteLength(body) > 4096) throw new Error('Response object is too long.');
    const answer = answerSchema.parse(JSON.parse(body));
    for (const field of ['StackId', 'RequestId', 'LogicalResourceId'] as const) {
      if (answer[field] !== event[field]) throw new Error(`the function answered with another ${field}`);
    }
    if (answer.Status === 'FAILED') {
      throw new Error(`the function refused the ${request} request: ${answer.Reason ?? 'no reason given'}`);
    }
    return answer;
  }
}

function deployedFrom({ physicalId, attributes }: { physicalId: string; attributes: Properties }): Deployed {
  return { ref: physicalId, attributes };
}

/** CloudFormation hands every scalar of a custom resource's properties over as a string. */
function asStrings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asStrings);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asStrings(item)]));
}
