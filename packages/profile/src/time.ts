export type TimeResult =
  /** Whole milliseconds since the Unix epoch. */
  { readonly ok: true; readonly timeMs: number } | { readonly ok: false; readonly error: { readonly message: string } };

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** ECMAScript's range of a Date: ±100,000,000 days. */
const MAX_TIME_MS = 8.64e15;

const RELATIVE = /^now(?:\s*(?<sign>[+-])\s*(?<duration>\S+))?$/;
const UNIX_MS = /^-?\d{1,16}$/;
const RFC_3339 =
  /^(?<date>\d{4}-\d{2}-\d{2})[Tt ](?<clock>\d{2}:\d{2}:\d{2})(?<fraction>\.\d+)?(?<zone>[Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads a point in time: RFC 3339 (`2026-11-23T08:00:00Z`), Unix milliseconds, `now`, or relative to now (`now-1h30m`;
 * units ms, s, m, h, d, w). What is finer than a millisecond is cut off.
 */
export function parseTime(text: string, nowMs: number): TimeResult {
  const timeMs = relative(text, nowMs) ?? unixMs(text) ?? rfc3339(text);
  if (timeMs === undefined || Number.isNaN(timeMs) || Math.abs(timeMs) > MAX_TIME_MS) {
    const message = `${JSON.stringify(text.slice(0, 80))} is not a time: give RFC 3339 (2026-11-23T08:00:00Z), Unix milliseconds, or now-1h30m.`;
    return { ok: false, error: { message } };
  }
  return { ok: true, timeMs };
}

/** Milliseconds of a duration such as `90s`, `1h30m`, `2d`; undefined when it is none. */
export function parseDurationMs(text: string): number | undefined {
  if (!/^(?:\d+(?:ms|[smhdw]))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[smhdw])/g))
    sum += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  return sum;
}

function relative(text: string, nowMs: number): number | undefined {
  const groups = RELATIVE.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const now = Math.floor(nowMs);
  if (groups['duration'] === undefined) return now;
  const duration = parseDurationMs(groups['duration']);
  if (duration === undefined) return undefined;
  return groups['sign'] === '-' ? now - duration : now + duration;
}

function unixMs(text: string): number | undefined {
  return UNIX_MS.test(text) ? Number(text) : undefined;
}

function rfc3339(text: string): number | undefined {
  const groups = RFC_3339.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { date, clock, fraction = '', zone = 'Z' } = groups;
  // Read as UTC first and compared with what was written: Date.parse turns 30 February into 2 March.
  const utc = Date.parse(`${date}T${clock}Z`);
  if (Number.isNaN(utc) || new Date(utc).toISOString().slice(0, 19) !== `${date}T${clock}`) return undefined;
  const offset = zoneMs(zone);
  if (offset === undefined) return undefined;
  return utc + Number(`${fraction.slice(1)}000`.slice(0, 3)) - offset;
}

function zoneMs(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
