/** What the cloud says to an instance and what it answers; both sides of the worker's port. */
export interface InstanceData {
  /** File URL of the module that holds the handler. */
  module: string;
  exportName: string;
  functionName: string;
  functionArn: string;
  memorySize: number;
  logGroup: string;
  logStream: string;
  /** Folder of V8's code cache that the process uses: it holds compiled sources by their content, and no state. */
  codeCache: string | undefined;
}

export interface InvokeMessage {
  requestId: string;
  /** The event as JSON. */
  payload: string;
  /** Milliseconds the handler may take. */
  timeout: number;
}

export type InstanceMessage =
  | { type: 'ready' }
  | { type: 'init-failed'; error: FunctionError }
  | { type: 'answer'; payload: string }
  | { type: 'failed'; error: FunctionError }
  /** Nothing caught it; the instance ends with it. */
  | { type: 'crashed'; error: FunctionError };

/** The payload of an invocation that failed. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

/** What every thread of an instance finds in its environment data, those a handler starts included. */
export interface Surroundings {
  clock: SharedArrayBuffer;
  dnsPort: number | undefined;
}
export const surroundingsKey = 'posthorn:surroundings';
