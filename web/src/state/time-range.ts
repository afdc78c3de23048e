import { parseTime } from '@everflame/profile';

/** A range as the user said it, and as Unix milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

export type SpanResult = { readonly ok: true; readonly span: Span } | { readonly ok: false; readonly message: string };

/** Relative times count from `nowMs`, so that all requests of a page ask for the same range. */
export function resolveSpan(from: string, until: string, nowMs: number): SpanResult {
  const start = parseTime(from, nowMs);
  if (!start.ok) return { ok: false, message: `Start “${from}”: ${start.error.message}` };
  const end = parseTime(until, nowMs);
  if (!end.ok) return { ok: false, message: `End “${until}”: ${end.error.message}` };
  if (end.timeMs <= start.timeMs) return { ok: false, message: 'The range ends before it begins.' };
  return { ok: true, span: { fromMs: start.timeMs, untilMs: end.timeMs } };
}

export const presets: readonly { readonly label: string; readonly from: string }[] = [
  { label: '5 min', from: 'now-5m' },
  { label: '15 min', from: 'now-15m' },
  { label: '1 hour', from: 'now-1h' },
  { label: '6 hours', from: 'now-6h' },
  { label: '24 hours', from: 'now-24h' },
  { label: '7 days', from: 'now-7d' },
];

/** True while the range moves with the clock. */
export function isLive(until: string): boolean {
  return until.startsWith('now');
}

const niceStepsMs = [
  10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000,
  21_600_000, 43_200_000, 86_400_000,
];

/** Step for a chart of about `points` points; never below the 10 s of an agent's profile. */
export function stepFor({ fromMs, untilMs }: Span, points = 120): number {
  const wanted = (untilMs - fromMs) / points;
  return niceStepsMs.find((step) => step >= wanted) ?? Math.ceil(wanted / 86_400_000) * 86_400_000;
}

/** The range before or after one, of the same length. */
export function shifted(span: Span, direction: -1 | 1): Span {
  const length = span.untilMs - span.fromMs;
  return { fromMs: span.fromMs + direction * length, untilMs: span.untilMs + direction * length };
}
