// Made once: toLocaleString makes one for each number, which costs more than all else in a table.
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Three significant digits, thousands grouped, never in exponents. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100) return whole.format(Math.round(value));
  const digits = size >= 10 ? 1 : size >= 1 ? 2 : Math.min(2 - Math.floor(Math.log10(size)), 8);
  return value
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/u, '$1')
    .replace(/\.$/u, '');
}

/** A share of 0 to 1 as a percentage; what is not nothing never reads as 0 %. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (Math.abs(value) < 0.01) return `${value < 0 ? '>−' : '<'}0.01 %`;
  return `${minus(value.toFixed(Math.abs(value) >= 10 ? 1 : 2))} %`;
}

/** Difference of two shares, in percentage points, always with its sign. */
export function points(delta: number): string {
  const text = (Math.abs(delta) * 100).toFixed(2);
  return text === '0.00' ? '±0.00' : `${delta < 0 ? '−' : '+'}${text}`;
}

/** How many times more or less, as a signed percentage. */
export function ratioChange(before: number, after: number): string {
  if (before === 0) return after === 0 ? '±0 %' : 'new';
  const change = (after / before - 1) * 100;
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(1)} %`;
}

export function minus(text: string): string {
  return text.replace(/^-/u, '−');
}

/** An exact integer with its thousands grouped. */
export function exact(value: bigint | number): string {
  return minus(whole.format(value));
}

const timeUnits: readonly (readonly [number, string])[] = [
  [3600e9, 'h'],
  [60e9, 'min'],
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
];
const byteUnits: readonly (readonly [number, string])[] = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
  [1, 'B'],
];

/** What would be rounded to 1,000 of a unit is 1 of the next. */
const almost = 0.9995;

function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  const [size, name] = units.find(([one]) => Math.abs(value) >= one * almost) ?? units.at(-1) ?? [1, ''];
  return `${minus(short(value / size))} ${name}`;
}

/** A value in the unit of its profile type, rounded for reading. */
export function amount(value: bigint | number, unit: string): string {
  const number = Number(value);
  if (unit === 'nanoseconds') return scaled(number, timeUnits);
  if (unit === 'bytes') return scaled(number, byteUnits);
  if (unit === 'count' || unit === '') return minus(whole.format(Math.round(number)));
  return `${minus(short(number))} ${unit}`;
}

/** The same without rounding, with its unit spelled out. */
export function exactAmount(value: bigint, unit: string): string {
  return `${exact(value)} ${unit}`.trim();
}

/** CPU nanoseconds within `coveredMs` as cores; null where a value is no time or nothing was covered. */
export function coresOf(value: bigint | number, unit: string, coveredMs: number): number | null {
  return unit === 'nanoseconds' && coveredMs > 0 ? Number(value) / (coveredMs * 1e6) : null;
}

export function cores(value: number): string {
  return `${coresNumber(value)} ${value === 1 ? 'core' : 'cores'}`;
}

/** Cores without the word. A thousandth of a core is the finest that is told. */
export function coresNumber(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && size < 0.001) return value < 0 ? '>−0.001' : '<0.001';
  return minus(size < 1 ? String(Number(value.toFixed(3))) : short(value));
}

/** A difference of cores, with its sign. */
export function coresChange(value: number): string {
  const size = Math.abs(value);
  if (size < 0.0005) return '±0';
  return `${value > 0 ? '+' : '−'}${size < 1 ? Number(size.toFixed(3)) : short(size)}`;
}

export function duration(ms: number): string {
  return scaled(ms * 1e6, timeUnits);
}

/** A span of time in words of two units: "4 min 20 s". */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** Local time, with the date when it is not today. */
export function timeOfDay(ms: number, nowMs = Date.now()): string {
  const at = new Date(ms);
  const time = at.toLocaleTimeString('en-GB');
  const sameDay = at.toDateString() === new Date(nowMs).toDateString();
  return sameDay ? time : `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${time}`;
}

/** "12 s ago". */
export function ago(ms: number, nowMs: number): string {
  const past = nowMs - ms;
  return past < 1000
    ? 'just now'
    : `${span(past < 60_000 ? past : Math.floor(past / 60_000) * 60_000)
        .split(' ')
        .slice(0, 2)
        .join(' ')} ago`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${exact(count)} ${count === 1 ? one : many}`;
}

/** Two ends of a share, "11.9–12.7 %". */
export function interval(low: number, high: number): string {
  const digits = high * 100 >= 10 ? 1 : 2;
  return `${(low * 100).toFixed(digits)}–${(high * 100).toFixed(digits)} %`;
}
