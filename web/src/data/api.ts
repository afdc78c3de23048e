import type { http } from '@everflame/protocols';
import { noteServerTime } from './server-clock.ts';

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: http.Problem };

export type Params = Readonly<Record<string, string | number | undefined>>;

/** Address of a route of the API; empty parameters are left out. */
export function apiUrl(path: string, params: Params = {}): string {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${path}${search === '' ? '' : `?${search}`}`;
}

/** Gets JSON. What goes wrong is a problem with words for the user; only an abort throws. */
export async function getJson<T>(path: string, params: Params, signal: AbortSignal): Promise<Answer<T>> {
  const response = await ask(path, params, 'application/json', signal);
  if (!(response instanceof Response)) return response;
  const body = await jsonOf(response, signal);
  return response.ok && body !== null ? { ok: true, value: body as T } : refusal(path, response, body);
}

/** Gets a file of this media type. What goes wrong is told as by `getJson`. */
export async function getBytes(
  path: string,
  params: Params,
  mediaType: string,
  signal: AbortSignal,
): Promise<Answer<ArrayBuffer>> {
  const response = await ask(path, params, mediaType, signal);
  if (!(response instanceof Response)) return response;
  if (!response.ok) return refusal(path, response, await jsonOf(response, signal));
  try {
    return { ok: true, value: await response.arrayBuffer() };
  } catch (error) {
    if (signal.aborted) throw error;
    return failure(0, 'cut_off', 'The answer was cut off', 'The connection to the server broke: try again.');
  }
}

async function ask(
  path: string,
  params: Params,
  accept: string,
  signal: AbortSignal,
): Promise<Response | { ok: false; problem: http.Problem }> {
  try {
    const response = await fetch(apiUrl(path, params), { signal, headers: { accept } });
    noteServerTime(response.headers.get('date'));
    return response;
  } catch (error) {
    if (signal.aborted) throw error;
    return failure(0, 'unreachable', 'The server does not answer', 'Is it running? Start it with: npm start');
  }
}

/** Null for what is no JSON. */
async function jsonOf(response: Response, signal: AbortSignal): Promise<unknown> {
  return response.json().catch((error: unknown) => {
    if (signal.aborted) throw error;
    return null;
  });
}

function refusal(path: string, response: Response, body: unknown): { ok: false; problem: http.Problem } {
  if (isProblem(body)) return { ok: false, problem: body };
  const detail = `${path} answered ${response.status} ${response.statusText} without saying why. Its log may tell more.`;
  return failure(response.status, 'unexplained', 'The server could not answer', detail);
}

export function failure(
  status: number,
  code: string,
  title: string,
  detail: string,
): { ok: false; problem: http.Problem } {
  return { ok: false, problem: { type: 'about:blank', title, status, code, detail } };
}

function isProblem(body: unknown): body is http.Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && 'status' in body;
}
