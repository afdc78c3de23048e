import { checkValid, decodeProfile, type Profile } from '@everflame/profile';
import { expect, test } from 'vitest';
import { type FleetShape, LoadSource, standardFleet } from './load-source.ts';

const shape: FleetShape = { ...standardFleet, profiles: 400, untilMs: Date.UTC(2026, 0, 2) };
const source = new LoadSource(shape);

function decoded(i: number, from = source): Profile {
  const result = decodeProfile(from.profile(i).bytes);
  if (!result.ok) throw new Error(result.error.message);
  return result.profile;
}

function depthsOf({ stacks, samples }: Profile): number[] {
  const depth = new Uint32Array(stacks.length);
  for (let s = 1; s < stacks.length; s++) depth[s] = (depth[stacks.parent[s] ?? 0] ?? 0) + 1;
  return Array.from(samples.stack, (stack) => depth[stack] ?? 0);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('the statistics are those that are promised', () => {
  const profiles = Array.from({ length: 40 }, (_, i) => decoded(i * 9));
  const rows = Array.from({ length: 400 }, (_, i) => source.profile(i).rows);
  expect(profiles.map(({ samples }) => samples.length)).toEqual(profiles.map((_, i) => rows[i * 9]));
  expect(Math.min(...rows)).toBeGreaterThanOrEqual(200);
  expect(Math.max(...rows)).toBeLessThanOrEqual(1000);
  expect(mean(rows)).toBeGreaterThan(550);
  expect(mean(rows)).toBeLessThan(610);
  const depths = profiles.flatMap(depthsOf);
  expect(mean(depths)).toBeGreaterThan(23);
  expect(mean(depths)).toBeLessThan(28);
  expect(Math.max(...depths)).toBe(80);
  expect(source.stacks).toBeGreaterThan(8 * 5000);
  expect(source.stacks).toBeLessThan(8 * 20_000);
  for (const profile of profiles) {
    checkValid(profile);
    expect(profile.durationNanos).toBe(10_000_000_000n);
    expect(profile.sampleTypes).toEqual([
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ]);
    expect(profile.mappings.length).toBe(4);
    expect(
      profile.samples.values.every(
        (value, i) => i % 2 === 0 || value === (profile.samples.values[i - 1] ?? 0n) * 10_101_010n,
      ),
    ).toBe(true);
  }
});

test('stacks are drawn by Zipf weights: the first one of n has about 1/ln(n) of the hits, most are rare', () => {
  const hits = new Map<string, number>();
  for (let i = 0; i < 400; i += 8) {
    const { samples, stacks, locations } = decoded(i);
    for (let row = 0; row < samples.length; row++) {
      const path: bigint[] = [];
      for (let s = samples.stack[row] ?? 0; s !== 0; s = stacks.parent[s] ?? 0) {
        path.push(locations.address[stacks.location[s] ?? 0] ?? 0n);
      }
      const key = path.join();
      hits.set(key, (hits.get(key) ?? 0) + (samples.count[row] ?? 0));
    }
  }
  const sorted = [...hits.values()].sort((a, b) => b - a);
  const total = sorted.reduce((sum, count) => sum + count, 0);
  // The two versions of the service are two binaries: each stack occurs twice.
  expect(((sorted[0] ?? 0) + (sorted[1] ?? 0)) / total).toBeGreaterThan(0.08);
  expect(((sorted[0] ?? 0) + (sorted[1] ?? 0)) / total).toBeLessThan(0.13);
  expect(sorted.filter((count) => count <= 2).length / sorted.length).toBeGreaterThan(0.4);
});

test('services share the kernel and libc, versions the names, and nothing else', () => {
  const names = (profile: Profile) =>
    new Set(Array.from(profile.functions.nameString, (row) => profile.strings[row] ?? ''));
  const buildIds = (profile: Profile) => Array.from(profile.mappings.buildIdString, (row) => profile.strings[row]);
  const [first, other, later] = [decoded(0), decoded(1), decoded(392)];
  const common = (a: Profile, b: Profile) => {
    const inB = names(b);
    return [...names(a)].filter((name) => name !== '' && inB.has(name));
  };
  const shared = common(first, other);
  expect(shared.length).toBeGreaterThan(50);
  expect(shared.length).toBeLessThanOrEqual(150);
  expect(shared.some((name) => name.includes('acme'))).toBe(false);
  expect(buildIds(first).slice(2)).toEqual(buildIds(other).slice(2));
  expect(buildIds(first)[1]).not.toBe(buildIds(other)[1]);
  expect(buildIds(first)[1]).not.toBe(buildIds(later)[1]);
  expect(common(first, later).length).toBeGreaterThan(1000);
});

test('labels name services, versions, hosts and pods that come and go', () => {
  const labels = Array.from({ length: 400 }, (_, i) => source.labels(i));
  const values = (name: string) => new Set(labels.map((one) => one[name]));
  expect(values('service_name').size).toBe(8);
  expect(values('host_name').size).toBe(5);
  expect([...values('service_version')]).toEqual(['1.0.0', '1.1.0']);
  // 40 pods, another one every six hours and at the new version.
  expect(values('k8s_pod_name').size).toBe(40 * 4);
  expect(labels[0]).toEqual({
    service_name: 'checkout',
    service_version: '1.0.0',
    host_name: 'node-000',
    k8s_namespace_name: 'shop',
    k8s_pod_name: expect.stringMatching(/^checkout-[a-z0-9]{10}-[a-z0-9]{5}$/),
  });
  expect(source.timeMs(0)).toBe(Date.UTC(2026, 0, 1));
  expect(source.timeMs(399)).toBeLessThan(Date.UTC(2026, 0, 2));
});

test('a profile depends on the seed and its number alone', () => {
  const again = new LoadSource(shape);
  const bytes = Uint8Array.from(source.profile(123).bytes);
  again.profile(7);
  expect(Uint8Array.from(again.profile(123).bytes)).toEqual(bytes);
  expect(Uint8Array.from(new LoadSource({ ...shape, seed: 2 }).profile(123).bytes)).not.toEqual(bytes);
});

test('threads are labels of samples', () => {
  const { labelSets, strings } = decoded(0, new LoadSource({ ...shape, threads: 4 }));
  const threads = Array.from(labelSets.textString, (row) => strings[row] ?? '').sort();
  expect(threads).toEqual(['worker-1', 'worker-2', 'worker-3', 'worker-4']);
});
