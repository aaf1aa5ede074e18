let loads = 0;

/**
 * A function's handler as Lambda loads it, with the environment of now. Node keeps a module by its URL, so each load has
 * another; what the handler imports is shared, and holds no state.
 */
export async function freshHandler<Handler>(name: string): Promise<Handler> {
  const url = new URL(`../../lambdas/${name}/handler.ts?load=${++loads}`, import.meta.url);
  return ((await import(url.href)) as { handler: Handler }).handler;
}
