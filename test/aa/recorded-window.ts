import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeProfile, encodeProfile, labelText, type Profile } from '@everflame/profile';
import { repositoryRoot } from '../support/everflame-process.ts';
import type { NamespacedShop } from './shop-run.ts';

export interface RecordedWindow {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly samples: number;
  /** Samples of which a part of the stack was guessed along frame pointers. */
  readonly guessed: number;
}

/** Whose samples a recording has: the process as this host numbers it. */
export interface RecordedShop {
  readonly pod: string;
  readonly version: string;
  readonly pid: number;
}

export function withPid({ pod, version }: NamespacedShop): RecordedShop {
  return { pod, version, pid: pidOf(pod) };
}

/** Records the shops' services. Answers the file. */
export async function recordWindow(
  shops: readonly RecordedShop[],
  file: string,
  seconds: number,
  frequencyHz: number,
): Promise<string> {
  const pids = shops.map(({ pid }) => String(pid));
  const main = join(repositoryRoot, 'packages/cli/src/main.ts');
  const flags = ['--pid', pids.join(','), '--duration', `${seconds}s`, '--frequency', String(frequencyHz)];
  const args = [main, 'record', ...flags, '--output', file];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`everflame record ended with ${code}`);
  return file;
}

/** Posts a recorded file to a server, a profile for each shop. */
export async function postWindow(
  server: string,
  shops: readonly RecordedShop[],
  file: string,
): Promise<RecordedWindow> {
  const decoded = decodeProfile(gunzipSync(readFileSync(file)));
  if (!decoded.ok) throw new Error(`${file}: ${decoded.error.message}`);
  const { profile } = decoded;
  let [samples, guessed] = [0, 0];
  for (const { pod, version, pid } of shops) {
    const own = ofProcess(profile, pid);
    for (const [i, count] of own.samples.count.entries()) {
      samples += count;
      if (labelText(own, own.samples.labelSet[i] ?? 0, 'stack_unwinding') !== undefined) guessed += count;
    }
    const labels = { service_name: 'shop', service_version: version, host_name: 'one', k8s_pod_name: pod };
    const url = `${server}/api/v1/profiles?${new URLSearchParams(labels).toString()}`;
    const response = await fetch(url, { method: 'POST', body: encodeProfile(own) });
    if (response.status !== 202) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  }
  const fromMs = Number(profile.timeNanos / 1_000_000n);
  return { fromMs, untilMs: fromMs + 1 + Number(profile.durationNanos / 1_000_000n), samples, guessed };
}

/** The samples of one process; all else stays. */
function ofProcess(profile: Profile, pid: number): Profile {
  const { samples, sampleTypes } = profile;
  const rows = [...samples.stack.keys()].filter(
    (i) => labelText(profile, samples.labelSet[i] ?? 0, 'process_pid') === String(pid),
  );
  const types = sampleTypes.length;
  return {
    ...profile,
    samples: {
      length: rows.length,
      stack: Uint32Array.from(rows, (i) => samples.stack[i] ?? 0),
      labelSet: Uint32Array.from(rows, (i) => samples.labelSet[i] ?? 0),
      count: Float64Array.from(rows, (i) => samples.count[i] ?? 0),
      values: BigInt64Array.from(rows.flatMap((i) => [...samples.values.subarray(i * types, (i + 1) * types)])),
    },
  };
}

/** The service of a pod, by what the environments of processes say. */
function pidOf(pod: string): number {
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const [command, environment] = ['cmdline', 'environ'].map((file) => {
      try {
        return readFileSync(`/proc/${name}/${file}`, 'utf8');
      } catch (error) {
        // It ended meanwhile, or is closed to us: none of the shops.
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
        throw error;
      }
    });
    if (command?.includes('service.mjs') === true && environment?.includes(`k8s.pod.name=${pod}\0`) === true)
      return Number(name);
  }
  throw new Error(`no process of ${pod}`);
}
