/**
 * What the peers were measured with on the same kind of machine and with the same kind of load (Parca 3b5647cd, Pyroscope
 * 3fe6a457; 8,000 profiles in 24 hours, 8 services on 5 hosts), and what the store must reach.
 */
export interface Figure {
  readonly name: string;
  readonly parca: string;
  readonly pyroscope: string;
  readonly must: string;
}

const figure = (name: string, parca: string, pyroscope: string, must: string): Figure => ({
  name,
  parca,
  pyroscope,
  must,
});

export const figures = {
  ingestCpu: figure('ingest, CPU-ms a profile, compaction included', '90', '12.6', '≤ 4'),
  ingestRatio: figure('  ÷ pprof -proto', '10.7', '1.49', '≤ 0.47'),
  sendCpu: figure('  while sending', '70.6–78.4', '11.2–11.5', ''),
  rate: figure('profiles/s', '27.6', '150', ''),
  ackIdle: figure('acknowledged after, idle, p50 / p99 ms', '8', '350–510', '≤ 20'),
  ackLoaded: figure('acknowledged after, full load, p50 / p99 ms', '140 / 475', '440 / 950', '≤ 100'),
  peakRss: figure('peak RSS while ingesting, MB', '12,600', '1,050', '≤ 400'),
  diskSettled: figure('disk settled, B a sample', '467', '10.8', '≤ 4'),
  diskStaging: figure('disk when the last one was acknowledged', '', '105', '≤ 25'),
  visible: figure('visible after the acknowledgement, ms', '18–40', '14–19', '≤ 50'),
  flame15m: figure('flame graph, one service, 15 min, ms', '337', '18', '≤ 10'),
  flame6h: figure('flame graph, one service, 6 h', '3,328', '40', '≤ 20'),
  flame24h: figure('flame graph, one service, 24 h', '13,737', '183', '≤ 50'),
  flame15mJson: figure('flame graph, one service, 15 min, as JSON', '', '', ''),
  flame6hJson: figure('flame graph, one service, 6 h, as JSON', '', '', ''),
  flame24hJson: figure('flame graph, one service, 24 h, as JSON', '', '', ''),
  flameAllView: figure('flame graph, all, 24 h, first view', '', '1,488', '≤ 250'),
  flameAll: figure('flame graph, all, 24 h, whole', '30,122', '4,488', '≤ 1,000'),
  flameAllJson: figure('flame graph, all, 24 h, whole as JSON', '', '', ''),
  top24h: figure('top, one service, 24 h', '', '', ''),
  pprofOne: figure('pprof, one service, 24 h', '15,717', '402', '≤ 150'),
  pprofAll: figure('pprof, all, 24 h', '', '5,670', '≤ 1,500'),
  diff: figure('diff, one service, 6 h / 6 h', '7,047', '158', '≤ 50'),
  labels: figure('label names', '1,883', '6.9', '≤ 5'),
  series: figure('series of one service, 24 h', '2,010', '73', '≤ 20'),
  queryRange: figure('values over time, by service, 24 h', '', '', ''),
  queryRss: figure('peak RSS while asking, MB', '', '', '≤ 512'),
  thirtyDays: figure('30 days ÷ 24 h, one service', '', '', '≤ 2'),
  stop: figure('stop, s', '15.8', '31.6', '≤ 2'),
  ready: figure('ready after start, with data, s', '0.9', '46.9', '≤ 0.5'),
  idleRss: figure('idle with data, RSS MB', '260', '213', '≤ 130'),
  idleCpu: figure('idle with data, CPU ms/s', '14.5', '9', '≤ 3'),
  bomb: figure('gzip bomb 10 MB → 10 GB: ms; RSS more, MB', '> 6,100 MB', '400 in 115', '413, ≤ 100'),
} as const;

const widths = [48, 22, 14, 14, 12] as const;

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => (i === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[i] ?? 0)))
    .join('')
    .trimEnd();
}

export function printHead(): void {
  console.log(line(['', 'Everflame', 'must', 'Parca', 'Pyroscope']));
}

export function printFigure({ name, parca, pyroscope, must }: Figure, measured: string): void {
  console.log(line([name, measured, must, parca, pyroscope]));
}
