import type { FastifyRequest } from 'fastify';
import { nearestName } from '../nearest-name.ts';
import { Refused } from '../problem.ts';
import type { Parameters } from '../query/parameters.ts';

/**
 * The query string of a request whose route knows the parameters `known`: each at most once, no others.
 *
 * @throws Refused 400 `unknown_parameter` with the nearest name, `repeated_parameter`
 */
export function readQueryString(request: FastifyRequest, known: readonly string[]): Parameters {
  const parameters = readAnyQueryString(request);
  for (const name of Object.keys(parameters)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? `known are ${known.join(', ') || 'none'}` : `did you mean ${nearest}?`;
    throw new Refused(
      400,
      'unknown_parameter',
      `the parameter ${JSON.stringify(name.slice(0, 80))} is not known: ${hint}`,
      name,
    );
  }
  return parameters;
}

/** The query string of a route that takes any names. */
export function readAnyQueryString(request: FastifyRequest): Parameters {
  const parameters = new Map<string, string>();
  for (const [name, value] of Object.entries(request.query as Record<string, string | string[]>)) {
    if (typeof value !== 'string') {
      throw new Refused(
        400,
        'repeated_parameter',
        `the parameter ${JSON.stringify(name.slice(0, 80))} is given twice: give it once`,
        name,
      );
    }
    parameters.set(name, value);
  }
  return Object.assign(Object.create(null), Object.fromEntries(parameters)) as Parameters;
}
