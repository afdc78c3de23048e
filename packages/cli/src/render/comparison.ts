import type { http } from '@everflame/protocols';

/** How figures of a comparison are written, in tables of all formats. */

/** A part as a percentage: `+12.3 %`. */
export function signedPercent(part: number): string {
  return `${part < 0 ? '−' : '+'}${Math.abs(part * 100).toFixed(1)} %`;
}

/** An interval of a relative change: `+8.1 … +16.7 %`. */
export function formatInterval(interval: http.CompareFunction['interval']): string {
  if (interval === null) return '-';
  const [low, high] = interval;
  const text = (part: number): string => `${part < 0 ? '−' : '+'}${Math.abs(part * 100).toFixed(1)}`;
  return `${text(low)} … ${high === null ? '∞' : text(high)} %`;
}

/** A rate in the unit of the comparison: a share of the service's CPU, cores per instance, or CPU seconds per request. */
export function formatRate(rate: number, { summary, unit }: http.CompareAnswer): string {
  if (summary.normalisation === 'share') return `${(rate * 100).toFixed(2)} %`;
  // Of what is no time samples are counted.
  if (unit !== 'nanoseconds') return threeDigits(rate);
  return summary.normalisation === 'cores' ? `${threeDigits(rate)} cores` : formatSeconds(rate);
}

function formatSeconds(seconds: number): string {
  const [scale, unit] = seconds >= 1 || seconds === 0 ? [1, 's'] : seconds >= 0.001 ? [1e3, 'ms'] : [1e6, 'µs'];
  return `${threeDigits(seconds * scale)} ${unit}`;
}

/** Whole numbers have all of their digits. */
function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function formatChange({ change, verdict }: http.CompareFunction): string {
  if (change !== null) return signedPercent(change);
  return verdict === 'gone' || verdict === 'new' ? verdict : '-';
}

export function formatQ(q: number | null): string {
  if (q === null) return '-';
  return q < 0.001 ? '<0.001' : q.toFixed(3);
}

/** The verdict, and with weak evidence where it leans. */
export function formatVerdict({ verdictText, lean }: http.CompareFunction): string {
  return lean === null ? verdictText : `${verdictText}, leans to ${lean}`;
}

/** What stands behind the numbers, one line for each side. */
export function formatSides({ summary }: http.CompareAnswer): string[] {
  return (['before', 'after'] as const).map((name) => {
    const { version, units, samples, cores, coresInterval } = summary[name];
    const unit = { host: 'host', pod: 'pod', process: 'process', block: 'time block', file: 'file' }[summary.unitKind];
    const plural = units === 1 ? unit : unit.endsWith('s') ? `${unit}es` : `${unit}s`;
    const [low, high] = coresInterval ?? [0, null];
    const interval =
      coresInterval === null ? '' : ` (${low.toPrecision(3)} … ${high === null ? '∞' : high.toPrecision(3)})`;
    const use = cores === null ? '' : `, ${cores.toPrecision(3)} cores per instance${interval}`;
    return `${name}: ${version === name ? '' : `${version}, `}${samples.toLocaleString('en')} samples of ${units} ${plural}${use}`;
  });
}

/** The smallest change of the whole that would have been found. */
export function formatMde({ mde }: http.CompareAnswer): string {
  return mde === null
    ? 'How small a change of the whole would have been found cannot be said.'
    : `A change of the whole by ${(mde * 100).toFixed(1)} % would have been found with probability 0.8.`;
}

/** Rows that people want to see first: those that changed, then the largest. `rest`: how many are left out. */
export function topRows(
  { functions }: http.CompareAnswer,
  count: number,
): { readonly rows: readonly http.CompareFunction[]; readonly rest: number } {
  return { rows: functions.slice(0, count), rest: Math.max(0, functions.length - count) };
}
