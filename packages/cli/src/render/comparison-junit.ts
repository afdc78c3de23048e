import type { http } from '@everflame/protocols';
import { formatChange, formatInterval, formatMde, formatQ, formatVerdict, topRows } from './comparison.ts';

/**
 * A comparison as JUnit XML, which CI systems show as tests: the service as a whole, then `count` functions. What fails, `isFailure` says; what has too little
 * data is skipped.
 */
export function comparisonJunit(
  answer: http.CompareAnswer,
  count: number,
  isFailure: (row: http.CompareFunction) => boolean,
  wholeFails: boolean,
): string {
  const { summary, sentence } = answer;
  const suite = `everflame diff ${answer.service} ${summary.before.version} ${summary.after.version}`.replaceAll(
    /\s+/gu,
    ' ',
  );
  const { rows } = topRows(answer, count);
  const isUnjudged = (verdict: string): boolean => verdict === 'not enough data' || verdict === 'weak evidence';
  const whole = testCase(
    'the whole service',
    suite,
    wholeFails
      ? { kind: 'failure', message: sentence }
      : isUnjudged(summary.verdict)
        ? { kind: 'skipped', message: sentence }
        : null,
    `${sentence}\n${formatMde(answer)}`,
  );
  const cases = rows.map((row) => {
    const message = `${row.name}: ${formatVerdict(row)}, ${formatChange(row)} (${formatInterval(row.interval)}), q ${formatQ(row.q)}`;
    const result = isFailure(row)
      ? ({ kind: 'failure', message } as const)
      : isUnjudged(row.verdict)
        ? ({ kind: 'skipped', message } as const)
        : null;
    return testCase(row.file === '' ? row.name : `${row.name} (${row.file})`, suite, result, message);
  });
  const all = [whole, ...cases];
  const countOf = (kind: string): number => all.filter((one) => one.includes(`<${kind} `)).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites><testsuite name="${xml(suite)}" tests="${all.length}" failures="${countOf('failure')}" errors="0" skipped="${countOf('skipped')}">`,
    ...all,
    '</testsuite></testsuites>',
  ].join('\n');
}

function testCase(
  name: string,
  suite: string,
  result: { readonly kind: 'failure' | 'skipped'; readonly message: string } | null,
  output: string,
): string {
  const body = result === null ? '' : `<${result.kind} message="${xml(result.message)}"/>`;
  return `<testcase name="${xml(name)}" classname="${xml(suite)}">${body}<system-out>${xml(output)}</system-out></testcase>`;
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for XML 1.0, which cannot hold control characters, nor halves of surrogate pairs. */
function xml(words: string): string {
  const clean = words.toWellFormed().replaceAll(forbidden, '\ufffd');
  return clean.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
