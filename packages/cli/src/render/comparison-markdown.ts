import type { http } from '@everflame/protocols';
import {
  formatChange,
  formatInterval,
  formatMde,
  formatQ,
  formatRate,
  formatSides,
  formatVerdict,
  topRows,
} from './comparison.ts';

/** A comparison as a comment on a pull request. `url`: the page that shows it. */
export function comparisonMarkdown(answer: http.CompareAnswer, count: number, url: string | null): string {
  const { rows, rest } = topRows(answer, count);
  return [
    `### ${text(answer.sentence)}`,
    '',
    ...formatSides(answer).map((line) => `- ${text(line)}`),
    '',
    '| function | before | after | change | 95 % interval | q | verdict |',
    '|---|--:|--:|--:|--:|--:|---|',
    ...rows.map(
      (row) =>
        `| ${code(row.name)}${row.file === '' ? '' : ` ${text(row.file)}`} | ${formatRate(row.before, answer)} | ${formatRate(row.after, answer)} | ${formatChange(row)} | ${formatInterval(row.interval)} | ${formatQ(row.q)} | ${text(formatVerdict(row))} |`,
    ),
    ...(rest === 0 ? [] : ['', `… and ${rest.toLocaleString('en')} more functions.`]),
    '',
    formatMde(answer),
    '',
    '<details><summary>What was assumed</summary>',
    '',
    ...answer.assumptions.map((line) => `- ${text(line)}`),
    ...answer.notTested.map(
      ({ reason, functions }) =>
        `- not tested: ${functions} ${functions === 1 ? 'function' : 'functions'}: ${text(reason)}`,
    ),
    '',
    '</details>',
    ...(url === null ? [] : ['', `[Compare in Everflame](<${url}>)`]),
  ].join('\n');
}

/** Names come from foreign binaries: nothing in them may be markup. */
function text(words: string): string {
  return words
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/[\\`*_{}[\]#|~<>@]/gu, (mark) =>
      mark === '<' ? '&lt;' : mark === '>' ? '&gt;' : mark === '@' ? '@\u200b' : `\\${mark}`,
    );
}

/** A name in a code span; a table's cells end at `|` even there. */
function code(name: string): string {
  const clean = name.replaceAll(/\s+/gu, ' ').replaceAll('|', '\\|');
  const fence = '`'.repeat(Math.max(0, ...[...clean.matchAll(/`+/gu)].map(([run]) => run.length)) + 1);
  const pad = fence.length > 1 ? ' ' : '';
  return `${fence}${pad}${clean}${pad}${fence}`;
}
