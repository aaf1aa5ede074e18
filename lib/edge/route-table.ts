import type { Route } from '../contract/route.ts';
import { routes, type RouteName } from '../contract/routes.ts';

export interface Matched {
  name: RouteName;
  route: Route;
  params: Record<string, string>;
}
export type Match =
  { outcome: 'route'; matched: Matched } | { outcome: 'method'; allow: string[] } | { outcome: 'none' };

interface Entry {
  name: RouteName;
  route: Route;
  segments: string[];
}

/** What no id comes near, in characters: a longer segment names nothing. */
const longestParameter = 512;
const parameter = /^\{(\w+)\}$/;

/** Finds a route by method and decoded path; where several patterns fit, the one with more literal segments. */
export function routeTable(names: readonly RouteName[]): (method: string, path: string) => Match {
  const entries = names.map((name): Entry => ({
    name,
    route: routes[name],
    segments: routes[name].path.split('/'),
  }));
  entries.sort((a, b) => literals(b) - literals(a));
  return (method, path) => {
    const given = path.split('/');
    const fitting = entries.filter((entry) => fits(entry, given));
    if (fitting.length === 0) return { outcome: 'none' };
    const found = fitting.find(({ route }) => route.method === method);
    if (!found) return { outcome: 'method', allow: [...new Set(fitting.map(({ route }) => route.method))] };
    return {
      outcome: 'route',
      matched: { name: found.name, route: found.route, params: paramsOf(found, given) },
    };
  };
}

const literals = ({ segments }: Entry): number =>
  segments.filter((segment) => !parameter.test(segment)).length;

const fits = ({ segments }: Entry, given: string[]): boolean =>
  segments.length === given.length &&
  segments.every((segment, n) => (parameter.test(segment) ? isParameter(given[n]!) : segment === given[n]));

const isParameter = (value: string): boolean =>
  value.length > 0 && value.length <= longestParameter && value.isWellFormed();

const paramsOf = ({ segments }: Entry, given: string[]): Record<string, string> =>
  Object.fromEntries(
    segments.flatMap((segment, n) => {
      const name = parameter.exec(segment)?.[1];
      return name === undefined ? [] : [[name, given[n]!]];
    }),
  );
