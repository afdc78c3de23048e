import { ProfileBuilder } from '../build/profile-builder.ts';
import {
  type ImportResult,
  ImportError,
  importing,
  MAX_IMPORT_DEPTH,
  MAX_IMPORT_LINE,
  NamedFrames,
  samplesType,
} from './import-result.ts';

/** `root;…;leaf 12`: a blank and a count at the end of each line, as stackcollapse-*.pl and `everflame` write it. Time is linear. */
export function importFolded(content: string): ImportResult {
  return importing(() => {
    const builder = new ProfileBuilder({ sampleTypes: [samplesType] });
    const frames = new NamedFrames(builder);
    const kernel = builder.mapping({ file: '[kernel.kallsyms]' });
    let lines = 0;
    for (const [number, line] of linesOf(content)) {
      if (line.trim() === '') continue;
      const at = line.lastIndexOf(' ');
      const count = line.slice(at + 1);
      if (at <= 0 || !/^\d{1,18}$/.test(count))
        throw new ImportError(`line ${number} does not end in a blank and a whole number: ${line.slice(0, 60)}`);
      const names = line.slice(0, at).split(';');
      if (names.length > MAX_IMPORT_DEPTH) throw new ImportError(`line ${number} has ${names.length} frames`);
      let stack = 0;
      for (const name of names) {
        // perf's way to mark a frame of the kernel.
        const isKernel = name.endsWith('_[k]');
        const shown = isKernel ? name.slice(0, -4) : name;
        stack = builder.stack(
          stack,
          isKernel
            ? builder.location({ mapping: kernel, lines: [{ function: builder.function({ name: shown }) }] })
            : frames.location(shown === '' ? '<unknown>' : shown),
        );
      }
      builder.add(stack, 0, [BigInt(count)]);
      lines++;
    }
    if (lines === 0) throw new ImportError('there is no stack in it');
    return { ok: true, profile: builder.build(), notes: [] };
  });
}

/** Whether text looks like folded stacks: its first line with content ends in a count. */
export function looksFolded(content: string): boolean {
  const first = /^[^\S\n]*(\S[^\n]*)$/m.exec(content.slice(0, 100_000))?.[1] ?? '';
  return / \d{1,18}\s*$/.test(first);
}

/** Lines with their numbers from 1, without a copy of the whole. */
export function* linesOf(content: string): Generator<readonly [number, string]> {
  let start = 0;
  for (let number = 1; start < content.length; number++) {
    const found = content.indexOf('\n', start);
    const end = found < 0 ? content.length : found;
    if (end - start > MAX_IMPORT_LINE)
      throw new ImportError(`line ${number} is longer than ${MAX_IMPORT_LINE} characters`);
    const line = content.slice(start, end);
    yield [number, line.endsWith('\r') ? line.slice(0, -1) : line];
    start = end + 1;
  }
}
