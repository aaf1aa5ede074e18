/** One route of an API. */
export interface Route {
  /** As in the template: `ANY /v0/{proxy+}` or `$default`. */
  key: string;
  iam: boolean;
  integrationId: string;
}

export interface Match {
  route: Route;
  /** Values of `{name}` and `{name+}`. */
  parameters: Record<string, string>;
}

/**
 * Chooses the most specific route: one that matches the whole path before a greedy one, a literal segment before a
 * parameter, the longer prefix before the shorter, a method before ANY, and `$default` last.
 */
export class RouteTable {
  readonly #routes: Parsed[] = [];

  /** Throws when the API already has the route. */
  add(route: Route): void {
    if (this.#routes.some((known) => known.route.key === route.key)) {
      throw new Error(`the API already has the route '${route.key}'`);
    }
    this.#routes.push(parse(route));
    this.#routes.sort((a, b) => compare(a.rank, b.rank));
  }

  find(method: string, path: string): Match | undefined {
    const segments = path.split('/').slice(1);
    for (const parsed of this.#routes) {
      if (parsed.method !== 'ANY' && parsed.method !== method) continue;
      const parameters = bind(parsed, segments);
      if (parameters !== undefined) return { route: parsed.route, parameters };
    }
    return undefined;
  }
}

interface Parsed {
  route: Route;
  method: string;
  segments: string[] | undefined;
  greedy: boolean;
  /** Compared number by number, smaller first. */
  rank: number[];
}

const variable = /^\{([^+}]+)(\+?)\}$/;

function parse(route: Route): Parsed {
  if (route.key === '$default') return { route, method: 'ANY', segments: undefined, greedy: true, rank: [2] };
  const [method = '', path = ''] = route.key.split(' ');
  const segments = path.split('/').slice(1);
  const greedy = variable.exec(segments.at(-1) ?? '')?.[2] === '+';
  const shape = segments.map((segment) => (variable.test(segment) ? 1 : 0));
  const rank = [greedy ? 1 : 0, greedy ? -segments.length : 0, ...shape, method === 'ANY' ? 1 : 0];
  return { route, method, segments, greedy, rank };
}

function compare(a: number[], b: number[]): number {
  for (let place = 0; place < Math.max(a.length, b.length); place++) {
    const difference = (a[place] ?? 0) - (b[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function bind({ segments, greedy }: Parsed, given: string[]): Record<string, string> | undefined {
  if (segments === undefined) return {};
  if (greedy ? given.length < segments.length : given.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [place, segment] of segments.entries()) {
    const [, name, plus] = variable.exec(segment) ?? [];
    const value = plus === '+' ? given.slice(place).join('/') : given[place]!;
    if (name === undefined ? segment !== value : value === '') return undefined;
    if (name !== undefined) parameters[name] = value;
  }
  return parameters;
}
