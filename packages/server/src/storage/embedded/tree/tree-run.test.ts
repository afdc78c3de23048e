import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProfileBuilder } from '@everflame/profile';
import { afterAll, expect, test } from 'vitest';
import { EmbeddedReader } from '../reader.ts';
import { EmbeddedWriter } from '../writer.ts';

const cpu = { type: 'cpu', unit: 'nanoseconds' };
const startMs = Date.parse('2026-03-01T22:00:00Z');
const dataDir = mkdtempSync(join(tmpdir(), 'everflame-tree-run-'));
const writer = new EmbeddedWriter(dataDir, startMs);
const reader = new EmbeddedReader(dataDir);
afterAll(async () => {
  await writer.close();
  await reader.close();
  rmSync(dataDir, { recursive: true });
});

/** `main` calls `work`; each service has a `main` of its own, and all share `work`. */
function profileOf(service: string) {
  const builder = new ProfileBuilder({ sampleTypes: [cpu], periodType: cpu, timeNanos: BigInt(startMs) * 1_000_000n });
  const own = builder.mapping({ file: `/bin/${service}` });
  const shared = builder.mapping({ file: '/lib/shared.so' });
  const main = builder.function({ name: 'main', file: `${service}.c` });
  const work = builder.function({ name: 'work', file: 'work.c' });
  const root = builder.stack(0, builder.location({ mapping: own, address: 1n, lines: [{ function: main }] }));
  builder.add(builder.stack(root, builder.location({ mapping: shared, address: 2n, lines: [{ function: work }] })), 0, [
    1n,
  ]);
  return builder.build();
}

test('functions of one name that several services of an epoch have are each in the file and binary of the service asked about', async () => {
  const services = ['api', 'batch', 'web'];
  const entries = services.map((service) => ({
    name: 'process_cpu',
    labels: { service_name: service },
    profile: profileOf(service),
  }));
  await writer.append([{ batchId: null, entries, agent: null, receivedMs: startMs }]);
  for (const service of services) {
    const found = await reader.tree({
      name: 'process_cpu',
      sampleType: cpu,
      periodType: cpu,
      matchers: [{ name: 'service_name', operator: '=', value: service }],
      fromMs: startMs,
      untilMs: startMs + 1,
    });
    const { name = [], file = [], binary = [] } = found?.tree.frames ?? {};
    expect(name.map((one, i) => `${one} ${file[i]} ${binary[i]}`)).toEqual([
      'root  ',
      `main ${service}.c /bin/${service}`,
      'work work.c /lib/shared.so',
    ]);
  }
});
