/** The Node.js runtime of one instance: loads the handler, then runs one event at a time. */
import module from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { FunctionError, InstanceData, InstanceMessage, InvokeMessage } from './messages.ts';

type Handler = (event: unknown, context: unknown) => unknown;

const port = parentPort!;
const data = workerData as InstanceData;
const tell = (message: InstanceMessage): void => port.postMessage(message);

/** An error in the form the Node.js runtime answers it. */
function describe(thrown: unknown): FunctionError {
  if (!(thrown instanceof Error)) {
    return { errorType: thrown === null ? 'null' : typeof thrown, errorMessage: String(thrown), trace: [] };
  }
  return { errorType: thrown.name, errorMessage: thrown.message, trace: (thrown.stack ?? '').split('\n') };
}

function refuse(errorType: string, errorMessage: string): never {
  throw Object.assign(new Error(errorMessage), { name: errorType });
}

// Exit codes are the runtime's own: 129 after an uncaught exception, 128 after an unhandled rejection.
process.on('uncaughtException', (error) => {
  tell({ type: 'crashed', error: describe(error) });
  process.exit(129);
});
process.on('unhandledRejection', (reason) => {
  const { errorType, errorMessage, trace = [] } = describe(reason);
  const error = {
    errorType: 'Runtime.UnhandledPromiseRejection',
    errorMessage: `${errorType}: ${errorMessage}`,
    trace,
  };
  tell({ type: 'crashed', error });
  process.exit(128);
});

async function load(): Promise<Handler> {
  // Reading and compiling some 700 files is most of a cold start.
  if (data.codeCache !== undefined) module.enableCompileCache(data.codeCache);
  const code = (await import(data.module)) as Record<string, unknown>;
  // The thread is ended from outside, without a chance to write what it compiled.
  module.flushCompileCache();
  const handler =
    code[data.exportName] ?? (code['default'] as Record<string, unknown> | undefined)?.[data.exportName];
  if (typeof handler !== 'function') {
    refuse('Runtime.HandlerNotFound', `${data.exportName} is undefined or not exported`);
  }
  if (handler.length >= 3) {
    refuse('Runtime.CallbackHandlerDeprecated', 'nodejs24.x has no callback handlers; write an async one');
  }
  return handler as Handler;
}

function contextOf({ requestId, timeout }: InvokeMessage): unknown {
  const end = performance.now() + timeout;
  return {
    functionName: data.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: data.functionArn,
    memoryLimitInMB: String(data.memorySize),
    awsRequestId: requestId,
    logGroupName: data.logGroup,
    logStreamName: data.logStream,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(end - performance.now())),
  };
}

function marshal(result: unknown): string {
  try {
    return JSON.stringify(result) ?? 'null';
  } catch (error) {
    return refuse('Runtime.MarshalError', `Unable to stringify response body: ${(error as Error).message}`);
  }
}

async function serve(handler: Handler, message: InvokeMessage): Promise<void> {
  try {
    const result = await handler(JSON.parse(message.payload), contextOf(message));
    tell({ type: 'answer', payload: marshal(result) });
  } catch (error) {
    tell({ type: 'failed', error: describe(error) });
  }
}

try {
  const handler = await load();
  port.on('message', (message: InvokeMessage) => void serve(handler, message));
  tell({ type: 'ready' });
} catch (error) {
  tell({ type: 'init-failed', error: describe(error) });
  process.exit(1);
}
