import { compileMatchers, type Labels, type Matcher } from '@everflame/profile';
import type { DeletedFact } from '../storage.ts';

/** How long profiles of some series are kept. */
export interface RetentionRule {
  /** On the labels of the series, `__name__` included; one that it does not have is ''. Not on labels of samples. */
  readonly matchers: readonly Matcher[];
  readonly maxAgeMs: number;
}

/**
 * What is deleted in the course of time. A profile is never deleted before its time is `maxAgeMs` past, and is gone when an
 * eighth of that more is: until then it may share a file with what is kept.
 */
export interface Retention {
  /** The first one that a series satisfies decides over it. */
  readonly rules?: readonly RetentionRule[];
  /** For series that satisfy no rule; without it they are kept. */
  readonly maxAgeMs?: number;
  /** The oldest blocks are deleted while blocks and data base have more bytes together. */
  readonly maxBytes?: number;
}

interface SeriesName {
  readonly name: string;
  readonly labels: Labels;
}

/** Deleting at once what is a minute too old would write files anew each minute. */
const slackParts = 8;

/** Which profiles have expired at one instant. */
export class Expiry {
  readonly #ages: readonly number[];
  readonly #tests: readonly ((labels: Labels) => boolean)[];
  /** Expects one age for all series, so that a block's own times say what of it has expired. */
  readonly isUniform: boolean;
  /** What is older than this has expired whatever its labels are. Milliseconds; Infinity when some series are kept. */
  readonly longestAgeMs: number;

  constructor({ rules = [], maxAgeMs = Infinity }: Retention) {
    this.#ages = [...rules.map((rule) => rule.maxAgeMs), maxAgeMs];
    this.#tests = rules.map(({ matchers }) => compileMatchers(matchers));
    this.isUniform = rules.length === 0;
    this.longestAgeMs = Math.max(...this.#ages);
  }

  /** Whether anything ever expires. */
  get isEmpty(): boolean {
    return this.#ages.every((ageMs) => ageMs === Infinity);
  }

  /** The number of the rule that decides over a series; the last one is for those that satisfy none. */
  ruleOf({ name, labels }: SeriesName): number {
    const named = { ...labels, __name__: name };
    const found = this.#tests.findIndex((test) => test(named));
    return found < 0 ? this.#tests.length : found;
  }

  causeOf(rule: number): DeletedFact['cause'] {
    return rule < this.#tests.length ? 'selector' : 'age';
  }

  /** Profiles from before this have expired. */
  cutoffMs(rule: number, nowMs: number): number {
    return nowMs - (this.#ages[rule] ?? Infinity);
  }

  /** A profile from before this must be gone now. */
  overdueMs(rule: number, nowMs: number): number {
    const ageMs = this.#ages[rule] ?? Infinity;
    return nowMs - ageMs - ageMs / slackParts;
  }
}

/** Profiles of one rule in one place. */
export interface RuleFact {
  readonly rule: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly endMs: number;
  readonly profiles: number;
  readonly samples: number;
}

/** What a part's series are to the rules: one fact for each rule that has some. */
export function surveySeries(expiry: Expiry, series: Iterable<SeriesName & Omit<RuleFact, 'rule'>>): RuleFact[] {
  const facts = new Map<number, RuleFact>();
  for (const one of series) {
    const rule = expiry.ruleOf(one);
    const known = facts.get(rule);
    facts.set(rule, {
      rule,
      firstMs: Math.min(known?.firstMs ?? Infinity, one.firstMs),
      lastMs: Math.max(known?.lastMs ?? -Infinity, one.lastMs),
      endMs: Math.max(known?.endMs ?? -Infinity, one.endMs),
      profiles: (known?.profiles ?? 0) + one.profiles,
      samples: (known?.samples ?? 0) + one.samples,
    });
  }
  return [...facts.values()];
}

/** What one step deletes, by cause. */
export class Deletion {
  readonly #facts = new Map<DeletedFact['cause'], { profiles: number; samples: number; untilMs: number }>();

  get profiles(): number {
    let sum = 0;
    for (const { profiles } of this.#facts.values()) sum += profiles;
    return sum;
  }

  add(cause: DeletedFact['cause'], profiles: number, samples: number, endMs: number): void {
    const known = this.#facts.get(cause) ?? { profiles: 0, samples: 0, untilMs: 0 };
    known.profiles += profiles;
    known.samples += samples;
    known.untilMs = Math.max(known.untilMs, endMs);
    this.#facts.set(cause, known);
  }

  /** The bytes that it freed are shared out by the number of profiles: a file says no more. */
  facts(bytes: number): DeletedFact[] {
    const all = this.profiles;
    let [seen, given] = [0, 0];
    return [...this.#facts].map(([cause, fact]) => {
      seen += fact.profiles;
      const upTo = all === 0 ? 0 : Math.round((bytes * seen) / all);
      const own = upTo - given;
      given = upTo;
      return { cause, ...fact, bytes: own };
    });
  }
}
