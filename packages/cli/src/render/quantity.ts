/** A value of a profile for people: `12.3 s`, `4.5 MiB`, `1,234`. Exact values are in the API; this rounds. */
export function formatQuantity(value: bigint, unit: string): string {
  const number = Number(value);
  if (unit === 'nanoseconds')
    return formatScaled(number, [
      ['ns', 1],
      ['µs', 1e3],
      ['ms', 1e6],
      ['s', 1e9],
    ]);
  if (unit === 'bytes')
    return formatScaled(number, [
      ['B', 1],
      ['KiB', 2 ** 10],
      ['MiB', 2 ** 20],
      ['GiB', 2 ** 30],
    ]);
  const text = value.toLocaleString('en');
  return unit === 'count' || unit === '' ? text : `${text} ${unit}`;
}

function formatScaled(value: number, steps: readonly (readonly [string, number])[]): string {
  const [unit, size] = steps.findLast(([, step]) => Math.abs(value) >= step) ?? steps[0] ?? ['', 1];
  return `${(value / size).toFixed(size === 1 ? 0 : 2)} ${unit}`;
}

/** `12.34%`; `-` when there is no whole. */
export function formatShare(part: bigint, whole: bigint): string {
  return whole === 0n ? '-' : `${((Number(part) / Number(whole)) * 100).toFixed(2)}%`;
}
