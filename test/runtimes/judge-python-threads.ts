import { join } from 'node:path';

import { record } from '@everflame/agent';
import { expect } from 'vitest';

import { countBy, samplesOf, total } from '../e2e/agent-samples.ts';
import { repositoryRoot } from '../support/everflame-process.ts';

/** Functions of thread-names.py, and the names that their threads have while they run; '' for none. */
const names: Readonly<Record<string, string>> = {
  in_plain: 'plain worker of more than fifteen bytes',
  in_unicode: 'größe 🐍',
  in_renamed: 'the second name',
  in_subclass: 'subclass',
  in_crowded: 'crowded',
  in_nameless: '',
  in_main: 'MainThread',
};
const milliseconds = 250;
const frequencyHz = 499;

/** Runs thread-names.py: each sample has the name of its thread as a label. */
export async function expectThreadNames(python: string): Promise<void> {
  const script = join(repositoryRoot, 'test/workloads/runtimes/thread-names.py');
  const target = { kind: 'command', command: python, arguments: [script, String(milliseconds)] } as const;
  const { profile, exitCode, losses } = await record({ frequencyHz, target, stdio: 'ignore' });
  expect(exitCode).toBe(0);
  const samples = samplesOf(profile);
  const seen = Object.fromEntries(
    Object.keys(names).map((name) => [
      name,
      countBy(
        samples.filter(({ functions }) => functions.includes(name)),
        'python_thread_name',
      ),
    ]),
  );
  const cut = losses.filter(({ name, total: lost }) => name === 'labels_cut' && lost > 0);
  // For the reader of the log, one line for each run.
  console.info(JSON.stringify({ python, seen, cut }));
  for (const [name, label] of Object.entries(names)) {
    const its = samples.filter(({ functions }) => functions.includes(name));
    // A thread's first sample may be older than its second name.
    const wrong = its.filter(({ labels }) => {
      const found = labels['python_thread_name'] ?? '';
      return found !== label && !(name === 'in_renamed' && found === 'the first name');
    });
    expect({ name, isEnough: total(its) > 0.2 * milliseconds * (frequencyHz / 1000) }).toEqual({
      name,
      isEnough: true,
    });
    expect({ name, wrong: total(wrong) / total(its) <= 0.02 ? [] : wrong }).toEqual({ name, wrong: [] });
    expect(new Set(wrong.map(({ labels }) => labels['python_thread_name'] ?? ''))).toEqual(
      new Set(wrong.length > 0 ? [''] : []),
    );
  }
}
