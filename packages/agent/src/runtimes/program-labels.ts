import { labelsBytes, labelsOffset, maxLabelValue } from '../kernel/generated/abi.ts';
import { readThreadContext } from './otel/thread-context-labels.ts';

/** A label of a sample. */
export interface ProgramLabel {
  readonly key: string;
  readonly text: string;
}

/** In front of a key that is one of ours. */
const renamed = 'program_';

/**
 * The labels that a program has put on what it runs, those of the thread's OpenTelemetry context and of Go those of the goroutine, from the words of a struct
 * ef_labels of bpf/abi.h and what follows it. None where there are no words. `own`: labels that the sample has already, and keeps; `attributeNames`: of
 * attributes in a thread's context. A label whose value is empty is left out: in pprof it would be the number 0.
 */
export function readProgramLabels(
  words: Uint32Array,
  own: readonly { readonly key: string }[],
  attributeNames: readonly string[],
): ProgramLabel[] {
  if (words.length === 0) return [];
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  const count = bytes.readUInt32LE(labelsOffset.count);
  const labels = new Map<string, string>();
  const set = (key: string, text: string): void => {
    if (text !== '') labels.set(own.some((label) => label.key === key) ? renamed + key : key, text);
  };
  const contextEnd = labelsBytes + bytes.readUInt16LE(labelsOffset.contextBytes);
  for (const { key, text } of readThreadContext(bytes.subarray(labelsBytes, contextEnd), attributeNames))
    set(key, text);
  let at = labelsBytes + filled(contextEnd - labelsBytes);
  for (let i = 0; i < count; i++) {
    const [keyBytes, valueBytes] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    const valueAt = at + 8 + filled(keyBytes);
    const key = bytes.toString('utf8', at + 8, at + 8 + keyBytes);
    const text = wholeCharacters(bytes.subarray(valueAt, valueAt + valueBytes));
    set(key, text);
    at = valueAt + filled(valueBytes);
  }
  return [...labels].map(([key, text]) => ({ key, text }));
}

function filled(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Of a value that may have been cut in the middle of its last character. */
function wholeCharacters(value: Buffer): string {
  if (value.length < maxLabelValue) return value.toString('utf8');
  let start = value.length - 1;
  while (start > value.length - 4 && ((value[start] ?? 0) & 0xc0) === 0x80) start--;
  const first = value[start] ?? 0;
  const needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return value.toString('utf8', 0, start + needed > value.length ? start : value.length);
}
