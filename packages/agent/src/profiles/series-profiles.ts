import { setImmediate as nextTurn } from 'node:timers/promises';

import { encodeProfile, ProfileBuilder } from '@everflame/profile/write';

import type { SeriesLabels } from '../processes/identity.ts';
import { cpuProfileHeader, periodNsFor, profileName } from './profile-header.ts';
import type { ResolvedInterval } from './resolve-interval.ts';
import { SampleWriter } from './sample-writer.ts';

/** The profile of one series: its labels, `__name__` among them, and an uncompressed pprof message. */
export interface SeriesProfile {
  readonly labels: SeriesLabels;
  readonly pprof: Uint8Array;
}

interface Series {
  readonly labels: SeriesLabels;
  readonly builder: ProfileBuilder;
  readonly writer: SampleWriter;
}

/**
 * One profile for each series of the interval: the processes that share their labels. What tells processes and threads
 * apart within it are labels of its samples. Lets others run between profiles.
 */
export async function seriesProfiles(interval: ResolvedInterval, frequencyHz: number): Promise<SeriesProfile[]> {
  const { samples } = interval;
  const header = cpuProfileHeader(
    frequencyHz,
    samples.startUnixNs,
    BigInt(Math.round(samples.endNs - samples.startNs)),
  );
  const byKey = new Map<string, Series>();
  const byMember = samples.members.map((member) => {
    const labels = member.labels;
    if (labels === undefined) throw new Error(`process ${member.image.pid} was not identified`);
    const key = JSON.stringify(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)));
    let series = byKey.get(key);
    if (series === undefined) {
      const builder = new ProfileBuilder(header);
      series = { labels, builder, writer: new SampleWriter(builder, interval, periodNsFor(frequencyHz), threadLabels) };
      byKey.set(key, series);
    }
    return series;
  });
  for (let row = 0; row < samples.sampleCount; row++) {
    const series = byMember[samples.thread(samples.sample(row).thread).member];
    if (series === undefined) throw new Error(`sample ${row} belongs to no series`);
    series.writer.write(row);
  }
  const profiles: SeriesProfile[] = [];
  for (const { labels, builder } of byKey.values()) {
    await nextTurn();
    profiles.push({ labels: { ...labels, __name__: profileName }, pprof: encodeProfile(builder.build()) });
  }
  return profiles;
}

const threadLabels: ConstructorParameters<typeof SampleWriter>[3] = ({ member, tid, comm }) => [
  { key: 'process_pid', text: String(member.image.pid) },
  { key: 'thread_name', text: comm },
  { key: 'thread_id', text: String(tid) },
];
