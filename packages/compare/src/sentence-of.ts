import type { Change, Comparison } from './comparison.ts';

/**
 * The headline: "v1.1.0 uses 8.1 % (±1.2) more CPU than v1.0.0; 92 % of it is in renderInvoice". The ± is half of the interval, which
 * is printed whole where it is lopsided.
 */
export function sentenceOf(comparison: Comparison): string {
  const { summary } = comparison;
  const { before, after, change, lead } = summary;
  const per =
    summary.basis === 'request' ? ` per ${summary.requestKind}` : summary.basis === 'cores' ? ' per instance' : '';
  if (
    summary.verdict === 'not enough data' &&
    summary.basis === 'cores' &&
    summary.nature === 'load' &&
    change !== null
  )
    return `${after.version} uses ${measured(change)} CPU${per} than ${before.version}, which more or less load does, too: too few functions to tell.`;
  if (summary.verdict === 'not enough data' || change === null)
    return `Not enough data to tell ${after.version} from ${before.version}${change === null ? '' : `: ${measured(change)} CPU${per}`}.`;
  const difference = `${after.version} uses ${measured(change)} CPU${per} than ${before.version}`;
  if (summary.verdict === 'weak evidence') return `Weak evidence (${summary.weakEvidence}): ${difference}.`;
  if (summary.verdict === 'unchanged') {
    const { regressed, improved, moved, gone } = summary.counts;
    const isNew = summary.counts.new;
    const same = `${after.version} uses as much CPU${per} as ${before.version}, within ±${digits(change.mde)} %`;
    if (summary.nature === 'load' && summary.cores !== null)
      return `${same}; its load changed: ${measured(summary.cores)} CPU per instance.`;
    const found = [
      [regressed, 'regressed'],
      [improved, 'improved'],
      [isNew, 'new'],
      [gone, 'gone'],
      [moved, 'moved'],
    ]
      .filter(([count]) => count !== 0)
      .map(([count, word]) => `${count} ${word}`);
    return found.length === 0 ? `${same}; no function changed.` : `${same}; functions: ${found.join(', ')}.`;
  }
  if (lead?.part === undefined || lead.part === null) return `${difference}.`;
  const part = Math.round(lead.part * 100);
  if (part < 100) return `${difference}; ${part} % of it is in ${lead.name}.`;
  // Its part is of an estimate: only beyond the interval does it say anything about others.
  const [low, high] = change.interval;
  const own = lead.part * change.change;
  return own >= low && own <= high
    ? `${difference}; all of it is in ${lead.name}.`
    : `${difference}; ${lead.name} alone accounts for more than that, others changed the other way.`;
}

function measured(change: Change): string {
  const [low, high] = change.interval;
  const half = (high - low) / 2;
  const word = change.change >= 0 ? 'more' : 'less';
  const lopsided = Math.abs(high + low - 2 * change.change) > 0.2 * half;
  const span = lopsided ? `${digits(low)} to ${digits(high)}` : `±${digits(half)}`;
  return `${digits(Math.abs(change.change))} % (${span}) ${word}`;
}

/** A part as a percentage with one decimal. */
function digits(part: number): string {
  return (part * 100).toFixed(1);
}
