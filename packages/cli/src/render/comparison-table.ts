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
import { formatTable, printable } from './table.ts';

/** A comparison for a terminal: the headline, the sides, `count` functions, and what was taken for granted. */
export function formatComparison(answer: http.CompareAnswer, count: number): string {
  const { rows, rest } = topRows(answer, count);
  const table = formatTable(rows, [
    { title: 'before', align: 'right', text: (row) => formatRate(row.before, answer) },
    { title: 'after', align: 'right', text: (row) => formatRate(row.after, answer) },
    { title: 'change', align: 'right', text: formatChange },
    { title: '95 % interval', align: 'right', text: ({ interval }) => formatInterval(interval) },
    { title: 'q', align: 'right', text: ({ q }) => formatQ(q) },
    { title: 'verdict', align: 'left', text: formatVerdict },
    { title: 'function', align: 'left', text: ({ name, file }) => (file === '' ? name : `${name} (${file})`) },
  ]);
  const stacks = rows.flatMap(({ carrier, name, verdict }) =>
    carrier === null || carrier.name !== name || (verdict !== 'regressed' && verdict !== 'new')
      ? []
      : [`${name} is called by ${carrier.stack.slice(0, -1).toReversed().slice(0, 4).join(' < ') || 'nobody'}`],
  );
  const lines = rows.flatMap(({ name, lines: ofRow }) => {
    const first = ofRow?.find(({ verdict }) => verdict === 'regressed' || verdict === 'new');
    const line = first?.lineAfter ?? null;
    if (first === undefined || line === null) return [];
    const shares = `${formatRate(first.before, answer)} to ${formatRate(first.after, answer)}`;
    return [`${name} line ${line}: ${shares}, ${first.verdictText}`];
  });
  return [
    printable(answer.sentence),
    ...formatSides(answer).map(printable),
    '',
    table,
    ...(rest === 0 ? [] : [`… and ${rest.toLocaleString('en')} more functions; -n shows them`]),
    '',
    ...stacks.map(printable),
    ...lines.map(printable),
    formatMde(answer),
    ...answer.assumptions.map((line) => `Assumed: ${line}.`),
    ...answer.notTested.map(
      ({ reason, functions }) => `Not tested: ${functions} ${functions === 1 ? 'function' : 'functions'}: ${reason}.`,
    ),
  ].join('\n');
}
