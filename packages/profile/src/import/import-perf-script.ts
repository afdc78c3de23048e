import { ProfileBuilder } from '../build/profile-builder.ts';
import { linesOf } from './import-folded.ts';
import { type ImportResult, ImportError, importing, MAX_IMPORT_DEPTH, samplesType } from './import-result.ts';

/** `node 1234/1235 [001] 12345.678901:  10101010 cpu-clock:pppH:`; what stands before the time differs with perf's options. */
const header =
  /^(?<comm>\S.*?)\s+(?:(?<pid>\d+)\/)?(?<tid>\d+)\s+(?:\[\d+\]\s+)?(?:\S+\s+)?[\d.]+:\s+(?:(?<period>\d+)\s+)?(?<event>\S+?):\S*\s*$/;
/** Events whose period is nanoseconds. */
const clocks = new Set(['cpu-clock', 'task-clock']);

/**
 * The text of `perf script`: a head for each sample, then its frames, leaf first, `address name+0x1f (file)`. The first value
 * counts samples; where every sample is a clock's with a period, the second is its nanoseconds. The command is the label `thread_name`. Time is
 * linear in the text.
 */
export function importPerfScript(content: string): ImportResult {
  return importing(() => {
    const samples: { readonly comm: string; readonly period: bigint | null; readonly frames: readonly Frame[] }[] = [];
    let open: { comm: string; period: bigint | null; frames: Frame[] } | null = null;
    let others = 0;
    for (const [number, line] of linesOf(content)) {
      if (line.startsWith('#')) continue;
      if (line.trim() === '') {
        open = null;
      } else if (/^\s/.test(line) && open !== null) {
        const frame = readFrame(line);
        if (frame === null)
          throw new ImportError(`line ${number} is no frame of perf script: ${line.trim().slice(0, 60)}`);
        if (open.frames.push(frame) > MAX_IMPORT_DEPTH)
          throw new ImportError(`the sample at line ${number} has too many frames`);
      } else {
        // Long lines cannot be heads: their expression would be tried on them all the same.
        const groups = line.length > 1000 ? undefined : header.exec(line.trimStart())?.groups;
        if (groups === undefined) {
          others++;
          open = null;
          continue;
        }
        const { comm = '', period, event = '' } = groups;
        open = { comm, period: period !== undefined && clocks.has(event) ? BigInt(period) : null, frames: [] };
        samples.push(open);
      }
    }
    const withStacks = samples.filter(({ frames }) => frames.length > 0);
    if (withStacks.length === 0)
      throw new ImportError('there is no sample with a stack in it: was perf record run with -g?');
    const hasTime = withStacks.every(({ period }) => period !== null);
    const builder = new ProfileBuilder({
      sampleTypes: hasTime ? [samplesType, { type: 'cpu', unit: 'nanoseconds' }] : [samplesType],
    });
    for (const { comm, period, frames } of withStacks) {
      let stack = 0;
      for (const frame of frames.toReversed()) stack = builder.stack(stack, locationOf(builder, frame));
      const labels = builder.labelSet([{ key: 'thread_name', text: comm }]);
      builder.add(stack, labels, hasTime ? [1n, period ?? 0n] : [1n]);
    }
    const notes = [
      ...(samples.length > withStacks.length
        ? [`${samples.length - withStacks.length} samples without a stack are left out.`]
        : []),
      ...(others > 0 ? [`${others} lines are no samples.`] : []),
    ];
    return { ok: true, profile: builder.build(), notes };
  });
}

export function looksLikePerfScript(content: string): boolean {
  const lines = content
    .slice(0, 100_000)
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines
    .slice(0, 3)
    .some((line) => line.length < 1000 && !/^\s+[0-9a-f]+ /.test(line) && header.test(line.trimStart()));
}

interface Frame {
  readonly address: bigint;
  /** Empty: perf had no name. */
  readonly name: string;
  readonly binary: string;
}

/** Names and files may hold blanks and brackets: what is in the last balanced pair of brackets is the file. */
function readFrame(line: string): Frame | null {
  const all = line.trim();
  const head = /^([0-9a-f]{1,16})\s+/.exec(all);
  if (head === null || !all.endsWith(')')) return null;
  let depth = 0;
  let at = all.length - 1;
  for (; at > head[0].length; at--) {
    if (all[at] === ')') depth++;
    else if (all[at] === '(' && --depth === 0) break;
  }
  if (depth !== 0) return null;
  const binary = all.slice(at + 1, -1);
  const name = all
    .slice(head[0].length, at)
    .trim()
    .replace(/\+0x[0-9a-f]+$/, '');
  return {
    address: BigInt(`0x${head[1]}`),
    name: name === '[unknown]' ? '' : name,
    binary: binary === '[unknown]' || binary === 'inlined' ? '' : binary,
  };
}

function locationOf(builder: ProfileBuilder, { address, name, binary }: Frame): number {
  const mapping = binary === '' ? 0 : builder.mapping({ file: binary });
  // Frames of one function are one location: the text says no line that would tell them apart.
  if (name !== '') return builder.location({ mapping, lines: [{ function: builder.function({ name }) }] });
  return builder.location({ mapping, address, lines: [] });
}
