import { gunzipSync } from 'node:zlib';
import { decodeProfile } from '@everflame/profile';

/**
 * What a pprof file, gzipped or plain, says, without the order and the ids that it says it with: values by stack (mappings, addresses,
 * functions, files, lines) and labels. Samples that are alike are summed, samples without a value left out.
 */
export function canonicalSamples(file: Uint8Array): Map<string, bigint[]> {
  // `go tool pprof -proto` writes plain messages.
  const decoded = decodeProfile(file[0] === 0x1f ? gunzipSync(file) : file);
  if (!decoded.ok) throw new Error(decoded.error.message);
  const { strings, samples, stacks, locations, functions, mappings, labelSets, sampleTypes } = decoded.profile;
  const text = (column: Uint32Array, row: number): string => strings[column[row] ?? 0] ?? '';
  const locationText = Array.from({ length: locations.length }, (_, l) => {
    const mapping = locations.mapping[l] ?? 0;
    const lines: string[] = [];
    for (let line = locations.lineOffset[l] ?? 0; line < (locations.lineOffset[l + 1] ?? 0); line++) {
      const row = locations.lineFunction[line] ?? 0;
      const name = [functions.nameString, functions.systemNameString, functions.fileString].map((column) =>
        text(column, row),
      );
      lines.push(
        [...name, functions.startLine[row], locations.lineNumber[line], locations.lineColumn[line]].join('\t'),
      );
    }
    const binary = `${text(mappings.fileString, mapping)} ${text(mappings.buildIdString, mapping)}`;
    return `${binary} ${locations.address[l]} ${locations.isFolded[l]} [${lines.join(' | ')}]`;
  });
  const labelText = Array.from({ length: labelSets.length }, (_, set) => {
    const labels: string[] = [];
    for (let row = labelSets.offset[set] ?? 0; row < (labelSets.offset[set + 1] ?? 0); row++) {
      labels.push(
        `${text(labelSets.keyString, row)}=${text(labelSets.textString, row)}:${labelSets.number[row]}${text(labelSets.unitString, row)}`,
      );
    }
    return labels.sort().join(',');
  });
  const all = new Map<string, bigint[]>();
  for (let i = 0; i < samples.length; i++) {
    const path: string[] = [];
    for (let s = samples.stack[i] ?? 0; s !== 0; s = stacks.parent[s] ?? 0)
      path.push(locationText[stacks.location[s] ?? 0] ?? '');
    const key = `${path.join('\n')}\n{${labelText[samples.labelSet[i] ?? 0]}}`;
    const values = Array.from(sampleTypes, (_, t) => samples.values[i * sampleTypes.length + t] ?? 0n);
    all.set(
      key,
      values.map((value, t) => value + (all.get(key)?.[t] ?? 0n)),
    );
  }
  for (const [key, values] of all) if (values.every((value) => value === 0n)) all.delete(key);
  return all;
}
