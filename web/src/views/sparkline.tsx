/** A small picture of use over time; its numbers stand beside it, so it is hidden from screen readers. Gaps stay gaps. */
export function Sparkline({
  times,
  values,
  fromMs,
  untilMs,
  stepMs,
}: {
  times: readonly number[];
  values: readonly number[];
  fromMs: number;
  untilMs: number;
  stepMs: number;
}) {
  const width = 160;
  const height = 32;
  const peak = Math.max(...values, 0);
  const length = Math.max(untilMs - fromMs, 1);
  const x = (time: number) => ((Math.min(Math.max(time, fromMs), untilMs) - fromMs) / length) * width;
  const y = (value: number) => height - 1 - (peak > 0 ? (Math.max(value, 0) / peak) * (height - 3) : 0);
  let path = '';
  let last = -Infinity;
  for (const [index, time] of times.entries()) {
    const level = y(values[index] ?? 0).toFixed(1);
    const start = x(time);
    const end = Math.max(x(time + stepMs), start + 1);
    path += time - last > stepMs * 1.5 ? `M${start.toFixed(1)} ${height}V${level}` : `V${level}`;
    path += `H${end.toFixed(1)}`;
    const next = times[index + 1];
    if (next === undefined || next - time > stepMs * 1.5) path += `V${height}Z`;
    last = time;
  }
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
