import { compareByPrecedence } from './version-order.ts';

/** What one version did in one step of time, on one host. */
export interface Presence {
  readonly version: string;
  readonly host: string;
  /** Start, Unix ms. */
  readonly timeMs: number;
  /** For steps this is one step; what is known only coarsely is longer. */
  readonly lengthMs: number;
  readonly samples: number;
}

/**
 * How a version came to be live:
 * - `first`: nothing is known before it;
 * - `rollout`: it took the place of another at once;
 * - `rolling`: both were live while hosts moved over;
 * - `canary`: both were live, and for a while nothing moved;
 * - `rollback`: an earlier version came back in the place of a later one (or a lower semantic version came after a higher one);
 * - `return`: a version that had been live before came, and it is not back to an earlier one.
 */
export type PeriodKind = 'first' | 'rollout' | 'rolling' | 'canary' | 'rollback' | 'return';

/** `withdrawn`: what it should have replaced goes on without it. `replaced`: another came after it. `ended`: nothing runs any more. */
export type PeriodState = 'live' | 'withdrawn' | 'replaced' | 'ended';

/** A time in which a version was live without a break. A restart is none. */
export interface VersionPeriod {
  readonly version: string;
  readonly fromMs: number;
  /** End of its last samples. */
  readonly untilMs: number;
  readonly kind: PeriodKind;
  readonly state: PeriodState;
  /** The version that it took the place of, or stands beside; null for the first. */
  readonly replaces: string | null;
  readonly hosts: readonly string[];
}

interface Period {
  readonly version: string;
  readonly fromMs: number;
  untilMs: number;
  samples: number;
  /** When each host was first seen in it. */
  readonly joined: Map<string, number>;
}

/** While nothing moves for so long, hosts are not being rolled over: it is a canary. Updates pause for minutes between batches. */
const canaryMs = 15 * 60_000;
/** A silence that is as unlikely as this by chance is none: one in 400. */
const chance = Math.exp(-6);
/** Samples come in with the agent's intervals and queue: who was seen so recently is live. */
const liveMs = 3 * 60_000;

/**
 * The periods of the versions of one service in one environment, by start. `presence` in any order; `stepMs` is its resolution: a hand-over within two steps
 * is at once.
 */
export function versionPeriods(presence: readonly Presence[], stepMs: number, nowMs: number): VersionPeriod[] {
  const byVersion = Map.groupBy(
    presence.toSorted((a, b) => a.timeMs - b.timeMs),
    ({ version }) => version,
  );
  const otherTimes = (version: string) =>
    [...byVersion].filter(([other]) => other !== version).flatMap(([, steps]) => steps);
  const periods = [...byVersion.values()].flatMap((steps) => split(steps, otherTimes(steps[0]?.version ?? ''), stepMs));
  periods.sort((a, b) => a.fromMs - b.fromMs || b.samples - a.samples);
  const firstSeen = new Map<string, number>();
  for (const { version, fromMs } of periods) if (!firstSeen.has(version)) firstSeen.set(version, fromMs);
  return periods.map((period, i) => {
    const predecessor = predecessorOf(period, periods.slice(0, i));
    return {
      version: period.version,
      fromMs: period.fromMs,
      untilMs: period.untilMs,
      kind: kindOf(period, predecessor, firstSeen, stepMs),
      state: stateOf(period, predecessor, periods, nowMs),
      replaces: predecessor?.version ?? null,
      hosts: [...period.joined.keys()].sort(),
    };
  });
}

/**
 * A silence ends a period where another version was live in it, and where a version as busy as it would not have been silent by chance. Where nothing was live, the
 * service was stopped and started again.
 */
function split(steps: readonly Presence[], others: readonly Presence[], stepMs: number): Period[] {
  const periods: Period[] = [];
  for (const { version, host, timeMs, lengthMs, samples } of steps) {
    let period = periods.at(-1);
    if (period === undefined || isBreak(period, timeMs, others, stepMs)) {
      period = { version, fromMs: timeMs, untilMs: timeMs, samples: 0, joined: new Map() };
      periods.push(period);
    }
    period.untilMs = Math.max(period.untilMs, timeMs + lengthMs);
    period.samples += samples;
    if (!period.joined.has(host)) period.joined.set(host, timeMs);
  }
  return periods;
}

function isBreak(period: Period, timeMs: number, others: readonly Presence[], stepMs: number): boolean {
  const silenceMs = timeMs - period.untilMs;
  // Steps are cut at fixed times: one empty step is what a hand-over within two steps may look like.
  if (silenceMs < stepMs) return false;
  // That all samples of a steady process fell into the first part of its time.
  const lengthMs = period.untilMs - period.fromMs;
  if ((lengthMs / (lengthMs + silenceMs)) ** period.samples > chance) return false;
  return others.some((one) => one.timeMs < timeMs && one.timeMs + one.lengthMs > period.untilMs);
}

/** Of the versions that were live when it began the busiest, else the one that was live last. */
function predecessorOf(period: Period, earlier: readonly Period[]): Period | undefined {
  const others = earlier.filter(({ version }) => version !== period.version);
  const live = others.filter(({ untilMs, fromMs }) => untilMs > period.fromMs && fromMs < period.fromMs);
  const rate = ({ samples, fromMs, untilMs }: Period): number => samples / Math.max(untilMs - fromMs, 1);
  if (live.length > 0) return live.reduce((best, one) => (rate(one) > rate(best) ? one : best));
  return others.reduce<Period | undefined>(
    (best, one) => (best === undefined || one.untilMs > best.untilMs ? one : best),
    undefined,
  );
}

function kindOf(
  period: Period,
  predecessor: Period | undefined,
  firstSeen: ReadonlyMap<string, number>,
  stepMs: number,
): PeriodKind {
  if (predecessor === undefined) return 'first';
  const firstMs = firstSeen.get(period.version) ?? period.fromMs;
  const isBack = (firstSeen.get(predecessor.version) ?? 0) > firstMs;
  if (firstMs < period.fromMs) return isBack ? 'rollback' : 'return';
  if ((compareByPrecedence(period.version, predecessor.version) ?? 0) < 0) return 'rollback';
  const togetherUntilMs = Math.min(period.untilMs, predecessor.untilMs);
  if (togetherUntilMs - period.fromMs <= 2 * stepMs) return 'rollout';
  return longestPause(period, togetherUntilMs) >= canaryMs ? 'canary' : 'rolling';
}

/** While both are live: the longest time in which no host began to run it. */
function longestPause(period: Period, untilMs: number): number {
  const joins = [...period.joined.values()].filter((timeMs) => timeMs < untilMs).sort((a, b) => a - b);
  return Math.max(...[...joins, untilMs].map((timeMs, i) => timeMs - (joins[i - 1] ?? period.fromMs)));
}

function stateOf(
  period: Period,
  predecessor: Period | undefined,
  periods: readonly Period[],
  nowMs: number,
): PeriodState {
  if (period.untilMs >= nowMs - liveMs) return 'live';
  const follows = (one: Period): boolean => one !== period && one.untilMs > period.untilMs;
  if (predecessor !== undefined && follows(predecessor)) return 'withdrawn';
  return periods.some(follows) ? 'replaced' : 'ended';
}
