import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { type ProgramShape, record } from '@everflame/agent';
import { decodeProfile, type Profile } from '@everflame/profile';
import { expect } from 'vitest';

import { countBy, samplesOf, type SeenSample, total } from '../e2e/agent-samples.ts';
import { samplingError } from '../support/sampling-interval.ts';

const frequencyHz = 499;
/** Functions of test/workloads/go-labels, each of which runs under the label of its name only. */
const labelled = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];
const inside = new Set([...labelled, 'unlabelled'].map((name) => `main.${name}`));

/**
 * Records a program built from test/workloads/go-labels: each sample in one of its functions has that function's label, and the shares of labels are those
 * of the profile that it has made of itself.
 */
export async function expectGoLabels(program: string, cpuMs: number, shapes?: readonly ProgramShape[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'everflame-go-labels-'));
  try {
    const own = join(folder, 'own.pprof');
    const target = { kind: 'command', command: program, arguments: [own, String(cpuMs)] } as const;
    const { profile, losses, exitCode } = await record({
      frequencyHz,
      target,
      stdio: 'ignore',
      ...(shapes === undefined ? {} : { shapes }),
    });
    expect(exitCode).toBe(0);
    const theirs = decodeProfile(gunzipSync(readFileSync(own)));
    if (!theirs.ok) throw new Error(theirs.error.message);
    const lost = new Map(losses.map(({ name, cause, total: count }) => [`${name}/${cause}`, count]));
    judge(program, samplesIn(profile), samplesIn(theirs.profile), lost);
    const long = samplesOf(profile).filter(({ labels }) => labels['long'] !== undefined);
    expect(lost.get('labels_cut/value')).toBe(total(long));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function judge(
  program: string,
  ours: readonly SeenSample[],
  theirs: readonly SeenSample[],
  lost: ReadonlyMap<string, number>,
): void {
  const wrong = ours.filter(({ functions, labels }) => {
    const name = functions.find((each) => inside.has(each))?.slice('main.'.length);
    return name !== undefined && (labels['route'] ?? 'unlabelled') !== name;
  });
  const [ourCounts, theirCounts] = [countBy(ours, 'route'), countBy(theirs, 'route')];
  const [ourTotal, theirTotal] = [total(ours), total(theirs)];
  // For the reader of the log, one line for each run.
  console.info(JSON.stringify({ program, ours: ourCounts, theirs: theirCounts, wrong: total(wrong) }));
  expect(ourTotal).toBeGreaterThan(200);
  const differing = [...labelled, ''].filter((route) => {
    const [our, their] = [ourCounts[route] ?? 0, theirCounts[route] ?? 0];
    // Of both together: the program's own profile of 400 samples may have none of one in fifty, which says that it is rare and not that it is never.
    const share = (our + their) / (ourTotal + theirTotal);
    const most = samplingError(share, ourTotal) + samplingError(share, theirTotal);
    return Math.abs(our / ourTotal - their / theirTotal) > most;
  });
  expect({ wrong: total(wrong) / ourTotal < 0.005 ? [] : wrong, differing }).toEqual({ wrong: [], differing: [] });

  // Nine labels, each with its value, of which one is empty; a long one is cut at a whole character; one of ours is not replaced.
  const many = ours.filter(({ labels }) => labels['more7'] !== undefined);
  expect(many.length).toBeGreaterThan(0);
  for (const { labels } of many) {
    for (let i = 0; i < 8; i++) expect(labels[`more${i}`]).toBe(i === 0 ? undefined : String(i).repeat(i));
  }
  const long = ours.filter(({ labels }) => labels['long'] !== undefined);
  expect(new Set(long.map(({ labels }) => labels['long']))).toEqual(new Set(['ü'.repeat(64)]));
  const renamed = ours.find(({ labels }) => labels['program_thread_name'] !== undefined);
  expect(renamed?.labels).toMatchObject({ program_thread_name: 'of the program' });
  expect(renamed?.labels['thread_name']).not.toBe('of the program');
  for (const cause of ['number', 'key', 'room', 'unread', 'sets']) expect(lost.get(`labels_cut/${cause}`)).toBe(0);
}

/** Those of what is measured: before it, nobody knows the program yet. */
function samplesIn(profile: Profile): SeenSample[] {
  return samplesOf(profile).filter(({ functions }) =>
    functions.some((name) => name === 'main.measured' || inside.has(name)),
  );
}
