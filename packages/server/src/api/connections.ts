import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How long a request that has begun may take when the server ends, ms: the rest of its body, its answer. */
const graceMs = 2000;

/**
 * Ends the connections of a server that closes. Node.js waits for those that have asked nothing yet, which browsers open ahead and
 * keep for minutes, and without end for a request whose body does not come.
 */
export class Connections {
  readonly #server: Server;
  readonly #silent = new Set<Socket>();
  #isEnding = false;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      if (this.#isEnding) {
        socket.destroy();
        return;
      }
      this.#silent.add(socket);
      socket.once('close', () => this.#silent.delete(socket));
    });
    server.on('request', ({ socket }) => this.#silent.delete(socket));
  }

  /** `close` resolves when the server has no connection left. */
  async endDuring(close: () => Promise<unknown>): Promise<void> {
    this.#isEnding = true;
    const closed = close();
    for (const socket of this.#silent) socket.destroy();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    try {
      await closed;
    } finally {
      clearTimeout(timer);
    }
  }
}
