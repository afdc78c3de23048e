import { InvalidArgumentError } from 'commander';

/** `127.0.0.1:4099`, `[::1]:4099`, `:4099` (loopback) or `4099` (loopback). */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(?<host>\[[0-9a-fA-F:.]+\]|[^:[\]]*):)?(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > 65_535) throw new InvalidArgumentError('expected HOST:PORT, for example 127.0.0.1:4099');
  const host = (match.groups?.['host'] ?? '').replace(/^\[|\]$/g, '');
  return { host: host === '' ? '127.0.0.1' : host, port };
}

export function parseUrl(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new InvalidArgumentError('expected a URL, for example http://127.0.0.1:4099');
  }
  return url;
}

/** A whole number in a range, with the range in the error. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Seconds, or a number with a unit: `30`, `1.5`, `500ms`, `10s`, `5m`, `1h`. Answers milliseconds. */
export function parseDurationMs(text: string): number {
  const match = /^(?<number>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)?$/.exec(text);
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.groups?.['unit'] ?? 's'] ?? 1000;
  const durationMs = Number(match?.groups?.['number']) * unitMs;
  if (match === null || !(durationMs > 0))
    throw new InvalidArgumentError('expected seconds or a number with ms, s, m or h, for example 10 or 5m');
  return durationMs;
}

/** `10GB`, `500MB`, `1GiB`, plain bytes. Answers bytes. */
export function parseBytes(text: string): number {
  const match = /^(?<number>\d+(?:\.\d+)?)\s*(?<unit>[kKMGT]i?)?B?$/.exec(text);
  const units: Readonly<Record<string, number>> = {
    k: 1e3,
    K: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    ki: 2 ** 10,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
  };
  const bytes = Number(match?.groups?.['number']) * (units[match?.groups?.['unit'] ?? ''] ?? 1);
  if (match === null || !(bytes > 0)) throw new InvalidArgumentError('expected a size, for example 500MB or 10GiB');
  return Math.round(bytes);
}
