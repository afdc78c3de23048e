import type { http } from '@everflame/protocols';

type Row = http.CompareAnswer['functions'][number];

/** What may become a finding, or confirm one. */
export interface Candidate {
  readonly function: string;
  readonly file: string;
  readonly verdict: http.Finding['verdict'];
  readonly change: number | null;
  readonly interval: http.Finding['interval'];
  readonly part: number | null;
  readonly q: number | null;
  readonly samplesBefore: number | null;
  readonly samplesAfter: number | null;
  readonly units: number | null;
  readonly stack: readonly string[];
  readonly others: number;
  readonly sentence: string;
  /** When it changed, Unix ms, where that is not the subject's own time. */
  readonly atMs?: number;
}

/** What a look has shown. */
export interface Look {
  readonly candidates: readonly Candidate[];
  /** Where functions that were asked for stand now, by `functionKey`; absent ones have no samples any more. */
  readonly asked: Readonly<Record<string, Standing>>;
  /** Candidates beyond the limit. */
  readonly more: number;
}

export interface Standing {
  readonly change: number | null;
  readonly interval: http.Finding['interval'];
  readonly q: number | null;
  readonly samplesBefore: number;
  readonly samplesAfter: number;
  readonly isMoved: boolean;
}

export function functionKey(name: string, file: string): string {
  return JSON.stringify([name, file]);
}

/** A deployment that changes more than this is another program; the rest is counted. */
const mostCandidates = 50;
const findingVerdicts = ['regressed', 'improved', 'new', 'gone'] as const;

function verdictOf(row: Row): (typeof findingVerdicts)[number] | undefined {
  return findingVerdicts.find((verdict) => verdict === row.verdict);
}

/**
 * The changes of a comparison, each once: a function that regressed takes its callers with it, and all of them point to the one that carries the change. The
 * carrier stands for them, else the one with the largest change. When no function is to blame but the whole changed, the whole is the finding.
 */
export function lookOf(answer: http.CompareAnswer, asked: readonly (readonly [name: string, file: string])[]): Look {
  const groups = new Map<string, { best: Row; others: number }>();
  for (const row of answer.functions) {
    const verdict = verdictOf(row);
    if (verdict === undefined) continue;
    const { name, file } = row.carrier ?? row;
    const direction = row.part >= 0 ? 'more' : 'less';
    const key = `${direction} ${functionKey(name, file)}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { best: row, others: 0 });
      continue;
    }
    group.others++;
    const isCarrier = row.name === name && row.file === file;
    const isOther = group.best.name !== name || group.best.file !== file;
    if (isCarrier || (isOther && Math.abs(row.part) > Math.abs(group.best.part))) group.best = row;
  }
  const candidates = [...groups.values()].map(({ best, others }) => candidateOf(answer, best, others));
  candidates.sort((a, b) => Math.abs(b.part ?? 0) - Math.abs(a.part ?? 0));
  const whole = wholeOf(answer);
  if (whole !== undefined && !candidates.some(({ part }) => Math.sign(part ?? 0) === Math.sign(whole.change ?? 0)))
    candidates.unshift(whole);
  const standings = new Map(answer.functions.map((row) => [functionKey(row.name, row.file), row]));
  return {
    candidates: candidates.slice(0, mostCandidates),
    more: Math.max(0, candidates.length - mostCandidates),
    asked: Object.fromEntries(
      asked.flatMap(([name, file]): [string, Standing][] => {
        const standing = name === '' ? standingOfWhole(answer) : standingOf(standings.get(functionKey(name, file)));
        return standing === undefined ? [] : [[functionKey(name, file), standing]];
      }),
    ),
  };
}

function candidateOf(answer: http.CompareAnswer, row: Row, others: number): Candidate {
  const { name, file, change, interval, part, q, samplesBefore, samplesAfter, carrier } = row;
  return {
    function: name,
    file,
    verdict: verdictOf(row) ?? 'regressed',
    change,
    interval: interval === null ? null : [interval[0], interval[1]],
    part,
    q,
    samplesBefore,
    samplesAfter,
    units: Math.min(answer.summary.before.units, answer.summary.after.units),
    stack: carrier?.stack ?? [],
    others,
    sentence: sentenceOf(answer, row),
  };
}

function sentenceOf({ service, summary }: http.CompareAnswer, row: Row): string {
  const versions = `${service} ${summary.after.version}`;
  const part = `${(Math.abs(row.part) * 100).toFixed(1)} % of the service`;
  switch (row.verdict) {
    case 'new':
      return `${versions}: ${row.name} is new and takes ${part}`;
    case 'gone':
      return `${versions}: ${row.name} is gone, which was ${part}`;
    default: {
      const percent = (value: number): string => `${value >= 0 ? '+' : '−'}${Math.abs(value * 100).toFixed(1)} %`;
      const upper = row.interval?.[1] ?? null;
      const span =
        row.interval === null ? '' : ` (${percent(row.interval[0])} to ${upper === null ? '∞' : percent(upper)})`;
      return `${versions}: ${row.name} ${row.verdict} by ${percent(row.change ?? 0)}${span} against ${summary.before.version}, ${part}`;
    }
  }
}

function wholeOf(answer: http.CompareAnswer): Candidate | undefined {
  const { summary } = answer;
  if ((summary.verdict !== 'regressed' && summary.verdict !== 'improved') || summary.change === null) return undefined;
  const { change, interval } = summary.change;
  return {
    function: '',
    file: '',
    verdict: summary.verdict,
    change,
    interval: interval === null ? null : [interval[0], interval[1]],
    part: change,
    q: null,
    samplesBefore: summary.before.samples,
    samplesAfter: summary.after.samples,
    units: Math.min(summary.before.units, summary.after.units),
    stack: [],
    others: 0,
    sentence: `${answer.service}: ${answer.sentence}`,
  };
}

function standingOf(row: Row | undefined): Standing | undefined {
  if (row === undefined) return undefined;
  const { change, interval, q, samplesBefore, samplesAfter, verdict } = row;
  return {
    change,
    interval: interval === null ? null : [...interval],
    q,
    samplesBefore,
    samplesAfter,
    isMoved: verdict === 'moved',
  };
}

function standingOfWhole({ summary }: http.CompareAnswer): Standing | undefined {
  if (summary.change === null) return undefined;
  const { change, interval } = summary.change;
  const [samplesBefore, samplesAfter] = [summary.before.samples, summary.after.samples];
  return {
    change,
    interval: interval === null ? null : [...interval],
    q: null,
    samplesBefore,
    samplesAfter,
    isMoved: false,
  };
}
