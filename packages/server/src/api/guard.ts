import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Refused } from '../problem.ts';

/** Whether nobody but this machine reaches a server that listens on this address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Keeps web pages from using a server that trusts its own machine: a name that someone else's DNS resolves to 127.0.0.1 is
 * refused (DNS rebinding), and so is a request that a browser says another site has made.
 */
export function guardAgainstPages(app: FastifyInstance, listensOnLoopback: boolean): void {
  app.addHook('onRequest', async (request) => {
    if (listensOnLoopback && !isLoopback(hostNameOf(request.headers.host ?? 'localhost'))) {
      const detail = `this server listens on the loopback address alone and is not called ${request.headers.host ?? ''}: use http://127.0.0.1, or start it with --listen and that name's address`;
      throw new Refused(421, 'wrong_host', detail, 'host');
    }
    const site = request.headers['sec-fetch-site'];
    if (request.method === 'POST' && site === 'cross-site') {
      throw new Refused(403, 'cross_site', 'pages of other sites may not write to this server', 'sec-fetch-site');
    }
  });
}

/** `[::1]:4099` and `localhost:4099` without port and brackets. */
function hostNameOf(host: string): string {
  const bracketed = /^\[(?<address>[^\]]*)\]/.exec(host)?.groups?.['address'];
  return bracketed ?? host.replace(/:[0-9]*$/, '').toLowerCase();
}
