import type { http } from '@everflame/protocols';
import { CommandFailure } from './failure.ts';

const requestTimeoutMs = 60_000;

/** What the server refused: `code` is the problem's, stable; empty when it answered no problem document. */
export class ServerRefusal extends CommandFailure {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.name = 'ServerRefusal';
    this.code = code;
  }
}

/** Calls the server's HTTP API; what it refuses becomes a ServerRefusal with the problem's own words. */
export class ApiClient {
  readonly #server: URL;

  constructor(server: URL) {
    this.#server = server;
  }

  /** Address of a route with its parameters; empty ones are left out. */
  url(path: string, parameters: Readonly<Record<string, string | undefined>> = {}): URL {
    const url = new URL(path, this.#server);
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  async get<Answer>(path: string, parameters?: Readonly<Record<string, string | undefined>>): Promise<Answer> {
    const response = await this.#fetch(this.url(path, parameters), {});
    return (await response.json()) as Answer;
  }

  async post<Answer>(path: string, body: unknown): Promise<Answer> {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await this.#fetch(this.url(path), init);
    return (await response.json()) as Answer;
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(url, { ...init, signal: AbortSignal.timeout(requestTimeoutMs) });
    } catch (error) {
      throw new CommandFailure(
        `no answer from ${url.origin} (${causeOf(error)}); is the server running? Start one with: npm start`,
      );
    }
    if (response.ok) return response;
    const { detail, code } = await problemOf(response);
    throw new ServerRefusal(`${url.origin} answered ${response.status}: ${detail}`, code);
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

async function problemOf(response: Response): Promise<{ readonly detail: string; readonly code: string }> {
  const text = await response.text();
  const words = text.slice(0, 500);
  if (!(response.headers.get('content-type') ?? '').includes('json')) return { detail: words, code: '' };
  const { detail = words, code = '' } = JSON.parse(text) as Partial<http.Problem>;
  return { detail, code };
}
