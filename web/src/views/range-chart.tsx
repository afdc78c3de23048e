import type { http } from '@everflame/protocols';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Span } from '../state/time-range.ts';
import { type Bands, bandsOf } from '../tree/bands.ts';
import { bandColour } from './colours.ts';
import { amount, cores, short, timeOfDay } from './format.ts';
import { isDark } from './theme.ts';
import { useWidth } from './use-width.ts';

export interface RangeChartProps {
  readonly answer: http.QueryRangeAnswer | null;
  readonly span: Span;
  /** Label that the series are split by; '' when they are not. */
  readonly by: string;
  readonly onBrush: (span: Span) => void;
  /** Chosen in the legend: the value of the label `by`. */
  readonly onPick: (value: string) => void;
  readonly loading: boolean;
  /** When versions were first seen or marked. */
  readonly marks?: readonly ChartMark[];
  readonly sides?: readonly ChartSide[];
}

/** A stretch of the chart that is one side of a comparison. */
export interface ChartSide extends Span {
  readonly label: string;
  readonly colour: string;
}

export interface ChartMark {
  readonly at: number;
  readonly label: string;
}

const noMarks: readonly ChartMark[] = [];
const noSides: readonly ChartSide[] = [];

const heightPx = 132;

/** Use over time, in cores where the unit is time. Dragging over it chooses a range. */
export function RangeChart({
  answer,
  span,
  by,
  onBrush,
  onPick,
  loading,
  marks = noMarks,
  sides = noSides,
}: RangeChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host);
  const [at, setAt] = useState<number | null>(null);
  const dark = isDark.value;
  const stepMs = answer?.stepMs ?? 0;
  const isTime = answer?.unit === 'nanoseconds';
  const data = useMemo(() => (answer === null ? null : bandsOf(answer, by)), [answer, by]);
  const brush = useRef(onBrush);
  brush.current = onBrush;

  useEffect(() => {
    if (host.current === null || data === null || width === 0) return undefined;
    const scale = isTime ? 1 / (stepMs * 1e6) : 1;
    const chart = new uPlot(
      options(data, span, width, dark, isTime ? 'cores' : (answer?.unit ?? ''), marks, sides, setAt, (chosen) =>
        brush.current(chosen),
      ),
      columns(data, stepMs, scale),
      host.current,
    );
    return () => chart.destroy();
  }, [data, width, dark, span.fromMs, span.untilMs, isTime, stepMs, marks, sides]);

  const valueAt = (values: readonly (number | null)[]): string => {
    if (at === null) return '';
    const value = values[at];
    if (value === null || value === undefined) return 'no data';
    return isTime ? cores(value / (stepMs * 1e6)) : amount(value, answer?.unit ?? '');
  };
  const time = at === null ? undefined : data?.times[at];
  return (
    <figure class="chart" aria-label={`${isTime ? 'CPU cores' : 'Use'} over time`} aria-busy={loading}>
      <div ref={host} class="chart-host" style={{ height: `${heightPx}px` }}>
        {marks.length > 0 && (
          <ul class="visually-hidden" aria-label="Deployments in this range">
            {marks.map(({ at: when, label }) => (
              <li key={`${when} ${label}`}>
                {label} at {timeOfDay(when)}
              </li>
            ))}
          </ul>
        )}
        {data?.times.length === 0 && !loading && <p class="chart-empty">Nothing was stored in this range.</p>}
      </div>
      <figcaption class="chart-legend">
        <span class="chart-time">{time === undefined ? 'Drag over the chart to choose a range' : timeOfDay(time)}</span>
        {data?.bands.map((band) => {
          const text = (
            <>
              {by !== '' && <span class="swatch" style={{ background: bandColour(band.colour, dark) }} />}
              {by !== '' && <span class="chart-name">{band.label === '' ? `no ${by}` : band.label}</span>}
              <b>{valueAt(band.values)}</b>
            </>
          );
          return by !== '' && band.colour >= 0 ? (
            <button
              type="button"
              key={band.label}
              class="legend-item"
              title={`Show only ${by} = ${band.label}`}
              onClick={() => onPick(band.label)}
            >
              {text}
            </button>
          ) : (
            <span key={band.label} class="legend-item">
              {text}
            </span>
          );
        })}
      </figcaption>
    </figure>
  );
}

/** Clock time, with seconds where ticks need them and with the day for long ones. */
function tickText(seconds: number, { fromMs, untilMs }: Span, distance: number): string {
  const at = new Date(seconds * 1000);
  const length = untilMs - fromMs;
  if (length > 2 * 86_400_000) return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return at.toLocaleTimeString(
    'en-GB',
    distance > 0 && distance % 60 !== 0 ? {} : { hour: '2-digit', minute: '2-digit' },
  );
}

/**
 * Stacked from the first band up, the highest sum first, since it is drawn first and the others over it. Each step is two
 * points, its start and its end, so that the last one before a gap is as wide as the others.
 */
function columns({ times, bands }: Bands, stepMs: number, scale: number): uPlot.AlignedData {
  const running = times.map(() => 0);
  const stacked = bands.map(({ values }) =>
    values.flatMap((value, index) => {
      if (value === null) return [null, null];
      const sum = (running[index] ?? 0) + value * scale;
      running[index] = sum;
      return [sum, sum];
    }),
  );
  return [times.flatMap((time) => [time / 1000, (time + stepMs - 1) / 1000]), ...stacked.reverse()];
}

/** A frame around each side, with its name at its foot. */
function drawSides(chart: uPlot, sides: readonly ChartSide[]): void {
  const { ctx, bbox } = chart;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  for (const { fromMs, untilMs, label, colour } of sides) {
    const clamp = (x: number) => Math.min(Math.max(x, bbox.left), bbox.left + bbox.width);
    const left = clamp(chart.valToPos(fromMs / 1000, 'x', true));
    const right = clamp(chart.valToPos(untilMs / 1000, 'x', true));
    ctx.fillStyle = colour;
    ctx.strokeStyle = colour;
    ctx.lineWidth = 2 * ratio;
    ctx.globalAlpha = 0.16;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.globalAlpha = 1;
    ctx.strokeRect(left, bbox.top + ratio, right - left, bbox.height - 2 * ratio);
    ctx.fillText(label, left + 4 * ratio, bbox.top + bbox.height - 5 * ratio);
  }
  ctx.restore();
}

/** A line for each deployment, with its version where there is room. */
function drawMarks(chart: uPlot, marks: readonly ChartMark[], dark: boolean): void {
  const { ctx, bbox } = chart;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  ctx.strokeStyle = dark ? '#f4efe9' : '#1d1916';
  ctx.fillStyle = ctx.strokeStyle;
  ctx.lineWidth = ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  let free = -Infinity;
  for (const { at, label } of marks) {
    const x = chart.valToPos(at / 1000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const { width } = ctx.measureText(label);
    const left = Math.min(x + 4 * ratio, bbox.left + bbox.width - width);
    if (left < free) continue;
    ctx.fillText(label, left, bbox.top + 11 * ratio);
    free = left + width + 8 * ratio;
  }
  ctx.restore();
}

function options(
  { bands }: Bands,
  span: Span,
  width: number,
  dark: boolean,
  unit: string,
  marks: readonly ChartMark[],
  sides: readonly ChartSide[],
  onCursor: (index: number | null) => void,
  onBrush: (span: Span) => void,
): uPlot.Options {
  const ink = dark ? '#a8a099' : '#6b635a';
  const grid = dark ? '#2c2724' : '#ece8e2';
  const axis = { stroke: ink, font: '11px "Inter Variable", system-ui, sans-serif', ticks: { show: false } };
  return {
    width,
    height: heightPx,
    padding: [8, 0, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: {
      x: { min: span.fromMs / 1000, max: span.untilMs / 1000 },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 24,
        grid: { show: false },
        space: 90,
        values: (_, ticks) => ticks.map((tick) => tickText(tick, span, (ticks[1] ?? 0) - (ticks[0] ?? 0))),
      },
      {
        ...axis,
        size: 52,
        space: 28,
        grid: { stroke: grid, width: 1 },
        values: (_, ticks) => ticks.map((tick) => (unit === 'cores' ? short(tick) : amount(tick, unit))),
      },
    ],
    series: [
      {},
      ...bands.toReversed().map((band): uPlot.Series => {
        const colour = bandColour(band.colour, dark);
        return {
          stroke: colour,
          fill: colour,
          width: 1,
          points: { show: false },
        };
      }),
    ],
    hooks: {
      draw: [(chart) => drawSides(chart, sides), (chart) => drawMarks(chart, marks, dark)],
      setCursor: [(chart) => onCursor(typeof chart.cursor.idx === 'number' ? chart.cursor.idx >> 1 : null)],
      setSelect: [
        (chart) => {
          if (chart.select.width < 4) return;
          const at = (px: number) => Math.round(chart.posToVal(px, 'x') * 1000);
          onBrush({ fromMs: at(chart.select.left), untilMs: at(chart.select.left + chart.select.width) });
        },
      ],
    },
  };
}
