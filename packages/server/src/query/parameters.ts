import { parseDurationMs, parseSelector, parseTime, type Selector } from '@everflame/profile';
import { Refused } from '../problem.ts';
import type { TimeRange } from '../storage/storage.ts';

/** The query string of a request: names that the route knows, each at most once. */
export type Parameters = Readonly<Record<string, string | undefined>>;

const hourMs = 3_600_000;
/** Lengths of steps that people read easily. */
const niceStepsMs = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 604_800].map(
  (seconds) => seconds * 1000,
);
const defaultSteps = 120;
const maxSteps = 11_000;

/**
 * `from` and `until`, by default the last hour. `prefix` is that of a side of a comparison, whose own parameters win.
 *
 * @throws Refused 400 `bad_time_range`
 */
export function readTimeRange(parameters: Parameters, nowMs: number, prefix = ''): TimeRange {
  const untilMs = readTime(parameters, 'until', prefix, nowMs) ?? nowMs;
  const fromMs = readTime(parameters, 'from', prefix, nowMs) ?? Math.min(nowMs, untilMs) - hourMs;
  if (fromMs < untilMs) return { fromMs, untilMs };
  const detail = `from (${new Date(fromMs).toISOString()}) is not before until (${new Date(untilMs).toISOString()}): give an earlier from`;
  throw new Refused(400, 'bad_time_range', detail, `${prefix}from`);
}

function readTime(parameters: Parameters, name: string, prefix: string, nowMs: number): number | undefined {
  const field = present(parameters, prefix + name) === undefined ? name : prefix + name;
  const text = present(parameters, field);
  if (text === undefined) return undefined;
  const parsed = parseTime(text, nowMs);
  if (parsed.ok) return parsed.timeMs;
  throw new Refused(400, 'bad_time', parsed.error.message, field);
}

/** @throws Refused 400 `bad_selector`, with the place of the mistake */
export function readSelector(parameters: Parameters, prefix = ''): Selector {
  const field = present(parameters, `${prefix}query`) === undefined ? 'query' : `${prefix}query`;
  const parsed = parseSelector(present(parameters, field) ?? '');
  if (parsed.ok) return parsed.selector;
  const detail = `${parsed.error.message} (character ${parsed.error.offset + 1})`;
  throw new Refused(400, 'bad_selector', detail, field);
}

/** @throws Refused 400 `bad_step` */
export function readStepMs(parameters: Parameters, { fromMs, untilMs }: TimeRange): number {
  const text = present(parameters, 'step');
  const spanMs = untilMs - fromMs;
  if (text === undefined) {
    return niceStepsMs.find((stepMs) => spanMs / stepMs <= defaultSteps) ?? Math.ceil(spanMs / defaultSteps);
  }
  const stepMs = /^[0-9]{1,15}$/.test(text) ? Number(text) : parseDurationMs(text);
  if (stepMs === undefined || stepMs < 1) {
    throw new Refused(400, 'bad_step', `step is ${JSON.stringify(text)}: give 10s, 5m, 1h or milliseconds`, 'step');
  }
  if (spanMs / stepMs > maxSteps) {
    const least = Math.ceil(spanMs / maxSteps / 1000);
    throw new Refused(
      400,
      'bad_step',
      `this range has more than ${maxSteps} such steps: give a step of ${least}s or more`,
      'step',
    );
  }
  return stepMs;
}

/** The parameter's text; undefined when it is left out or empty. */
export function present(parameters: Parameters, name: string): string | undefined {
  const text = parameters[name];
  return text === '' ? undefined : text;
}

/** @throws Refused 400 `missing_parameter` */
export function required(parameters: Parameters, name: string, what: string): string {
  const text = present(parameters, name);
  if (text !== undefined) return text;
  throw new Refused(400, 'missing_parameter', `${name} is missing: give ${what}`, name);
}
