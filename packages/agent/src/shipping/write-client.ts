import type { Agent, request } from 'node:http';
import { writeEndpoint } from '@everflame/protocols/write';
import { parseRetryAfterMs } from './backoff.ts';

/** What became of one attempt to send a batch. */
export type PostOutcome =
  | { readonly kind: 'accepted' }
  /** The batch itself is at fault: sending it again cannot help. */
  | { readonly kind: 'refused'; readonly status: number; readonly detail: string }
  /** The server is away, busy, or not (yet) the right one. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs: number };

export interface WriteClientOptions {
  readonly server: URL;
  /** For one whole request. */
  readonly timeoutMs: number;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * 4xx answers that say nothing about the batch: a wrong address or missing permission (401, 403, 404, 407) is mended by
 * people while the queue holds the data, and 408, 421, 425, 429 ask for another try.
 */
const retriedStatuses = new Set([401, 403, 404, 407, 408, 421, 425, 429]);
const maxAnswerBytes = 64 * 1024;

/** Sends compressed WriteRequest messages, one connection that is kept open. (node:http: undici's fetch costs 10 MB more, and so does an `import` of node:http, which has it.) */
export class WriteClient {
  readonly #options: WriteClientOptions;
  readonly #agent: Agent;
  readonly #request: typeof request;
  readonly #target: URL;

  constructor(options: WriteClientOptions) {
    this.#options = options;
    const secure = options.server.protocol === 'https:';
    if (!secure && options.server.protocol !== 'http:') {
      throw new TypeError(`the server's address must begin with http:// or https://, not ${options.server.protocol}`);
    }
    const keepOpen = { keepAlive: true, maxSockets: 1 };
    const client = process.getBuiltinModule(secure ? 'node:https' : 'node:http');
    this.#agent = new client.Agent(keepOpen);
    this.#request = client.request;
    this.#target = new URL(options.server);
    // A server may live under a path of a proxy.
    this.#target.pathname = options.server.pathname.replace(/\/+$/, '') + writeEndpoint.path;
    this.#target.search = '';
    this.#target.hash = '';
  }

  /** Never rejects. `signal` ends the attempt, which is then `failed`. */
  async post(body: Uint8Array, signal: AbortSignal): Promise<PostOutcome> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    try {
      const answer = await this.#send(body, AbortSignal.any([signal, timeout]));
      return outcomeOf(answer);
    } catch (error) {
      const reason = timeout.aborted ? `no answer within ${this.#options.timeoutMs} ms` : describe(error);
      return { kind: 'failed', reason, retryAfterMs: 0 };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(body: Uint8Array, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const request = this.#request(this.#target, {
      method: 'POST',
      agent: this.#agent,
      signal,
      headers: {
        ...this.#options.headers,
        'content-type': writeEndpoint.contentType,
        'content-encoding': writeEndpoint.contentEncoding,
        'content-length': body.length,
        accept: 'application/json',
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = () => {
        const status = response.statusCode ?? 0;
        const text = Buffer.concat(chunks).toString();
        resolve({ status, retryAfter: response.headers['retry-after'], text });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes <= maxAnswerBytes) return;
        finish();
        response.destroy();
      });
      response.on('end', finish);
      response.on('error', reject);
    });
    request.end(body);
    return promise;
  }
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

function outcomeOf(answer: Answer): PostOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  const detail = detailOf(answer.text);
  if (status >= 400 && status < 500 && !retriedStatuses.has(status)) return { kind: 'refused', status, detail };
  const retryAfterMs = parseRetryAfterMs(answer.retryAfter, Date.now());
  return { kind: 'failed', reason: `it answered ${status}${detail === '' ? '' : `: ${detail}`}`, retryAfterMs };
}

/** The sentence of a problem document (RFC 9457), else the beginning of the text; one printable line of at most 500 characters. */
function detailOf(text: string): string {
  let detail = text;
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null) {
      const { detail: sentence, title } = problem as { detail?: unknown; title?: unknown };
      if (typeof sentence === 'string') detail = sentence;
      else if (typeof title === 'string') detail = title;
    }
  } catch (error) {
    // Not JSON: a proxy's page or plain text, shown as it is.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return detail
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 500);
}

/** Node.js hides the cause of a failed connection to a name with several addresses in an AggregateError without a message. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}
