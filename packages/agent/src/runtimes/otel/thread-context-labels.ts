import type { ProgramLabel } from '../program-labels.ts';

/** OTEP 4947: trace id 16, span id 8, valid 1, flags 1, bytes of attributes 2, attributes: index 1, bytes 1, text. */
const spanAt = 16;
const spanEnd = 24;
const sizeAt = 26;
const attributesAt = 28;

/**
 * The labels of a thread's context as it has published it, which may be cut after its head. `names`: of attributes by index; one without a name, or with an
 * empty one, is left out. Of equal ones the last counts.
 */
export function readThreadContext(record: Buffer, names: readonly string[]): readonly ProgramLabel[] {
  if (record.length < attributesAt) return [];
  const labels = new Map<string, string>();
  const trace = record.subarray(0, spanAt);
  const span = record.subarray(spanAt, spanEnd);
  if (trace.some((byte) => byte !== 0)) labels.set('trace_id', trace.toString('hex'));
  if (span.some((byte) => byte !== 0)) labels.set('span_id', span.toString('hex'));
  const end = Math.min(record.length, attributesAt + record.readUInt16LE(sizeAt));
  for (let at = attributesAt; at + 2 <= end;) {
    const name = names[record[at] ?? 0] ?? '';
    const textAt = at + 2;
    at = textAt + (record[at + 1] ?? 0);
    // What does not fit is not whole.
    if (at > end) break;
    const text = record.toString('utf8', textAt, at);
    if (name !== '' && text !== '') labels.set(name.replaceAll('.', '_'), text);
  }
  return [...labels].map(([key, text]) => ({ key, text }));
}
