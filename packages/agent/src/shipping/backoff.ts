/** Exponential backoff with full jitter. */
export interface BackoffOptions {
  /** Upper bound of the first wait. Default 500 ms. */
  readonly baseMs: number;
  /** Upper bound of every wait. Default 30 s. */
  readonly capMs: number;
}

export const defaultBackoff: BackoffOptions = { baseMs: 500, capMs: 30_000 };

/** The longest that a server's Retry-After is heeded: beyond it, an agent would look dead. */
export const maxRetryAfterMs = 300_000;

/**
 * How long to wait after failure number `failures` (1, 2, …): uniform in [0, min(cap, base × 2^(failures − 1))], which
 * spreads a thousand agents over the whole time, and never before what the server asked for.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function backoffDelayMs(
  failures: number,
  retryAfterMs: number,
  random: () => number,
  options: BackoffOptions,
): number {
  const bound = Math.min(options.capMs, options.baseMs * 2 ** (failures - 1));
  return Math.max(random() * bound, Math.min(retryAfterMs, maxRetryAfterMs));
}

/** A Retry-After header (RFC 9110 §10.2.3: seconds or an HTTP date) as milliseconds from now; 0 when absent or senseless. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  // Only a real HTTP date: Date.parse takes '-5' for a year.
  if (!/^[A-Z][a-z]{2},? /.test(header)) return 0;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? 0 : Math.max(0, dateMs - nowMs);
}
