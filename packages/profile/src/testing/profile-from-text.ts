import { ProfileBuilder, type ProfileHeader } from '../build/profile-builder.ts';
import type { Profile, ValueType } from '../profile.ts';

export interface TextProfileOptions {
  /** Default one: cpu/nanoseconds. */
  readonly sampleTypes?: readonly ValueType[];
  readonly header?: Omit<ProfileHeader, 'sampleTypes'>;
}

/**
 * A profile drawn as text. Each column is a sample, its stack from the root (top) to the leaf (bottom); the first line of
 * frames says where columns begin; cells are apart by two blanks or more. After the frames may follow
 *
 * - `= 3  5/100  1`: the values of each column (`/` between sample types), 1 where the line is missing;
 * - `~ thread=a,n:7  -  thread=b`: its sample labels (`=` text, `:` number), `-` for none.
 *
 * A cell is `name`, `name@binary`, or `name(inl)` for a frame inlined into the one above it.
 *
 * ```
 * profileFromText(`
 *   main   main  main
 *   parse  draw  draw@/usr/lib/libdraw.so
 *          line(inl)
 *   = 3    5     1
 * `)
 * ```
 */
export function profileFromText(text: string, options: TextProfileOptions = {}): Profile {
  const sampleTypes = options.sampleTypes ?? [{ type: 'cpu', unit: 'nanoseconds' }];
  const builder = new ProfileBuilder({ sampleTypes, ...options.header });
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const frameLines = lines.filter((line) => !/^\s*[=~]/.test(line));
  const starts = [...(frameLines[0] ?? '').matchAll(/\S+(?: \S+)*/g)].map((match) => match.index);
  const values = markedCells(lines, '=');
  const labels = markedCells(lines, '~');
  for (const [column, start] of starts.entries()) {
    const crossed = frameLines.find((line) => column > 0 && /\S/.test(line[start - 1] ?? ' '));
    if (crossed !== undefined) throw new Error(`A cell of the drawing crosses a column: ${crossed}`);
    const cells = frameLines.map((line) => line.slice(start, starts[column + 1] ?? line.length).trim());
    builder.add(
      stackOf(
        builder,
        cells.filter((cell) => cell !== ''),
      ),
      labelSetOf(builder, labels[column] ?? '-'),
      valuesOf(values[column] ?? '1', sampleTypes.length),
    );
  }
  return builder.build();
}

function markedCells(lines: readonly string[], mark: string): readonly string[] {
  const line = lines.find((candidate) => candidate.trimStart().startsWith(mark));
  return line === undefined ? [] : line.trim().slice(1).trim().split(/\s+/);
}

function valuesOf(cell: string, typeCount: number): bigint[] {
  const values = cell.split('/').map(BigInt);
  return Array.from({ length: typeCount }, (_, t) => values[t] ?? values[0] ?? 1n);
}

function labelSetOf(builder: ProfileBuilder, cell: string): number {
  if (cell === '-') return 0;
  return builder.labelSet(
    cell.split(',').map((label) => {
      const [key = '', text = ''] = label.split('=');
      const [numberKey = '', number] = label.split(':');
      return number === undefined ? { key, text } : { key: numberKey, number: BigInt(number) };
    }),
  );
}

/** Frames from the root to the leaf; each with the names inlined into it, outermost first. */
function stackOf(builder: ProfileBuilder, cells: readonly string[]): number {
  const frames: { names: string[]; binary: string }[] = [];
  for (const cell of cells) {
    const [name = '', binary = ''] = cell.split('@');
    const host = frames.at(-1);
    if (name.endsWith('(inl)') && host !== undefined) host.names.push(name.slice(0, -'(inl)'.length));
    else frames.push({ names: [name], binary });
  }
  let stack = 0;
  for (const { names, binary } of frames) {
    const lines = names.toReversed().map((name) => ({ function: builder.function({ name }) }));
    const mapping = binary === '' ? 0 : builder.mapping({ file: binary });
    stack = builder.stack(stack, builder.location({ mapping, lines }));
  }
  return stack;
}
