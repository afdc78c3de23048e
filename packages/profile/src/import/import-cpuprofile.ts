import { ProfileBuilder } from '../build/profile-builder.ts';
import {
  type ImportResult,
  ImportError,
  importing,
  isRecord,
  MAX_IMPORT_DEPTH,
  NamedFrames,
  samplesType,
  text,
} from './import-result.ts';

/** Time in which the program did nothing is no CPU time. */
const idle = '(idle)';

/**
 * A `.cpuprofile` of Chrome or Node.js (the DevTools protocol's Profiler.Profile): a tree of nodes, the node of each sample, and
 * microseconds between samples. A sample lasts until the next one, as DevTools shows it. `value`: the parsed JSON.
 */
export function importCpuprofile(value: unknown): ImportResult {
  return importing(() => {
    if (!isRecord(value) || !Array.isArray(value['nodes'])) throw new ImportError('it has no nodes');
    const { nodes, samples, timeDeltas } = value;
    if (!Array.isArray(samples) || !Array.isArray(timeDeltas) || samples.length !== timeDeltas.length)
      throw new ImportError('it has another number of time deltas than of samples');
    const builder = new ProfileBuilder({ sampleTypes: [samplesType, { type: 'cpu', unit: 'nanoseconds' }] });
    const stacks = stacksOf(nodes as readonly unknown[], builder);
    let leftOut = 0;
    const sums = new Map<number, { count: bigint; ns: bigint }>();
    for (const [index, id] of samples.entries()) {
      const stack = stacks.get(id);
      if (stack === undefined) throw new ImportError(`sample ${index} is of a node that is not there`);
      const delta: unknown = timeDeltas[index + 1] ?? 0;
      if (typeof delta !== 'number' || !Number.isSafeInteger(Math.round(delta * 1000)))
        throw new ImportError(`time delta ${index + 1} is no number`);
      if (stack === null) {
        leftOut++;
        continue;
      }
      const sum = sums.get(stack) ?? { count: 0n, ns: 0n };
      sum.count += 1n;
      // Now and then a clock goes back a little.
      sum.ns += BigInt(Math.max(Math.round(delta * 1000), 0));
      sums.set(stack, sum);
    }
    for (const [stack, { count, ns }] of sums) builder.add(stack, 0, [count, ns]);
    const notes = leftOut > 0 ? [`${leftOut} samples in which the program was idle are left out.`] : [];
    return { ok: true, profile: builder.build(), notes };
  });
}

/** The stack of each node by id; null for the idle one. */
function stacksOf(nodes: readonly unknown[], builder: ProfileBuilder): Map<unknown, number | null> {
  const named = new NamedFrames(builder);
  const byId = new Map<unknown, Readonly<Record<string, unknown>>>();
  for (const node of nodes) if (isRecord(node)) byId.set(node['id'], node);
  const root = nodes[0];
  if (!isRecord(root)) throw new ImportError('it has no root');
  const stacks = new Map<unknown, number | null>([[root['id'], 0]]);
  const waiting: { readonly node: Readonly<Record<string, unknown>>; readonly depth: number }[] = [
    { node: root, depth: 0 },
  ];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const { node, depth } = one;
    const above = stacks.get(node['id']) ?? 0;
    const children = Array.isArray(node['children']) ? node['children'] : [];
    if (depth > MAX_IMPORT_DEPTH) throw new ImportError('its tree is too deep');
    for (const id of children) {
      const child = byId.get(id);
      if (child === undefined || stacks.has(id))
        throw new ImportError(`node ${String(id)} is not there, or has two parents`);
      const frame = isRecord(child['callFrame']) ? child['callFrame'] : {};
      const name = text(frame['functionName']);
      const url = text(frame['url']);
      const line = Number.isSafeInteger(frame['lineNumber']) ? Number(frame['lineNumber']) + 1 : 0;
      const shown =
        name !== '' ? name : url === '' ? '(anonymous)' : `(anonymous) ${url.slice(url.lastIndexOf('/') + 1)}:${line}`;
      stacks.set(id, name === idle ? null : builder.stack(above, named.location(shown, url, Math.max(line, 0))));
      waiting.push({ node: child, depth: depth + 1 });
    }
  }
  return stacks;
}
