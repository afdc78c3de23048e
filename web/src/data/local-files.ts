import {
  binariesOf,
  buildTree,
  compileFilters,
  diffFunctions,
  diffTrees,
  encodeProfile,
  filterProfile,
  type FilterTexts,
  type FunctionLines,
  unsortedFunctionsOfTree,
  type ImportedFile,
  importProfile,
  joinBytes,
  linesOfFunction,
  type Profile,
  type Tree as ProfileTree,
} from '@everflame/profile';
import type { DiffResult } from './diff-result.ts';
import { treeOf, treeShape } from './tree-columns.ts';
import type { LocalFile, LocalTree } from './worker-messages.ts';

/** What a compressed file may become. */
const mostBytes = 512 * 1024 * 1024;

/** Reads a file of any known format, gzipped or not. Throws with words for the user. */
export async function readFile({ name, bytes }: LocalFile): Promise<Extract<ImportedFile, { ok: true }>> {
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const result = importProfile(isZipped ? await unzipped(name, bytes) : bytes);
  if (!result.ok) throw new Error(`${name} cannot be read: ${result.message}.`);
  return result;
}

async function unzipped(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      length += part.value.length;
      if (length > mostBytes) throw new RangeError('it unpacks to more than 512 MiB');
      parts.push(part.value);
    }
  } catch (error) {
    throw new Error(`${name} cannot be unpacked: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
  return joinBytes(parts);
}

/** The same as a pprof message. Throws with words for the user. */
export async function asPprof(file: LocalFile): Promise<Uint8Array<ArrayBuffer>> {
  return encodeProfile((await readFile(file)).profile);
}

const typeName = (one: { readonly type: string; readonly unit: string } | undefined) =>
  `${one?.type ?? ''}/${one?.unit ?? ''}`;

/** As `go tool pprof`: the type that the file names, else the last. */
function typeIndexOf(profile: Profile, wanted: string): number {
  const named = profile.sampleTypes.findIndex((one) => typeName(one) === wanted);
  return named >= 0 ? named : profile.sampleTypes.length - 1;
}

/** The merged tree of a file, filtered. Throws with words for the user. */
export async function importTree(
  file: LocalFile,
  texts: FilterTexts,
  wanted: string,
  byLine: boolean,
): Promise<LocalTree> {
  const { profile, index, format, notes } = await readFiltered(file, texts, wanted);
  const type = profile.sampleTypes[index];
  return {
    tree: treeOf(buildTree(profile, index, { byLine })),
    binaries: binariesOf(profile),
    format,
    types: profile.sampleTypes.map(typeName),
    type: typeName(type),
    unit: type?.unit ?? '',
    notes,
  };
}

/** What each line of a function of a file costs. Throws with words for the user. */
export async function importLines(
  file: LocalFile,
  texts: FilterTexts,
  wanted: string,
  name: string,
): Promise<FunctionLines> {
  const { profile, index } = await readFiltered(file, texts, wanted);
  return linesOfFunction(profile, index, name);
}

async function readFiltered(file: LocalFile, texts: FilterTexts, wanted: string) {
  const { profile, format, notes } = await readFile(file);
  const compiled = compileFilters(texts);
  if (!compiled.ok) throw new Error(`${compiled.name}: ${compiled.message}`);
  const filtered = filterProfile(profile, compiled.filters);
  return { profile: filtered, index: typeIndexOf(profile, wanted), format, notes };
}

/** Both files as one tree, both sides whole. Throws with words for the user. */
export async function diffFiles(before: LocalFile, after: LocalFile): Promise<DiffResult> {
  const [left, right] = await Promise.all([readFile(before), readFile(after)]);
  const type = left.profile.sampleTypes[typeIndexOf(left.profile, '')];
  const index = right.profile.sampleTypes.findIndex((one) => typeName(one) === typeName(type));
  if (index < 0)
    throw new Error(`${before.name} holds ${typeName(type)}, which ${after.name} does not: they cannot be compared.`);
  const beforeTree = buildTree(left.profile, typeIndexOf(left.profile, ''));
  const afterTree = buildTree(right.profile, index);
  const { frames, parent, frame, before: beforeAmounts, after: afterAmounts } = diffTrees(beforeTree, afterTree);
  const side = (tree: ProfileTree, name: string) => ({
    total: String(tree.total[0] ?? 0n),
    samples: tree.samples[0] ?? 0,
    profiles: 1,
    from: 0,
    until: 0,
    query: name,
  });
  return {
    tree: { ...treeShape({ frames, parent, frame }), before: beforeAmounts, after: afterAmounts },
    unit: type?.unit ?? '',
    before: side(beforeTree, before.name),
    after: side(afterTree, after.name),
    functions: functionsOf(beforeTree, afterTree),
  };
}

function functionsOf(before: ProfileTree, after: ProfileTree): DiffResult['functions'] {
  const diff = diffFunctions(unsortedFunctionsOfTree(before), unsortedFunctionsOfTree(after));
  const share = (self: bigint | undefined, whole: bigint | undefined) =>
    whole === undefined || whole === 0n ? null : Number(self ?? 0n) / Number(whole);
  return diff.frames.name.map((name, row) => ({
    name,
    file: diff.frames.file[row] ?? '',
    before: {
      self: String(diff.before.self[row] ?? 0n),
      total: String(diff.before.total[row] ?? 0n),
      samples: diff.before.samples[row] ?? 0,
    },
    after: {
      self: String(diff.after.self[row] ?? 0n),
      total: String(diff.after.total[row] ?? 0n),
      samples: diff.after.samples[row] ?? 0,
    },
    shareBefore: share(diff.before.self[row], before.total[0]),
    shareAfter: share(diff.after.self[row], after.total[0]),
    presence: diff.presence[row] ?? 'both',
  }));
}
