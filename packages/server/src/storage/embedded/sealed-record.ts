import { crc32 } from 'node:zlib';
import { type Labels, labelsKey } from '@everflame/profile';

/**
 * SQLite finds damage in the structure of its file, not in what stands in a row. So a record carries a CRC-32 of itself and of
 * the columns without which it would mean something else:
 *
 *     0xe5       no codec byte of a record without checksum, nor one flipped bit away from one
 *     CRC-32     little-endian, of the texts and bytes of its context, then of the record
 *     record     as `pack` made it
 */
const mark = 0xe5;
const headBytes = 5;

export type Context = readonly (string | Uint8Array)[];

export function sealed(record: Uint8Array, context: Context): Uint8Array {
  const result = new Uint8Array(headBytes + record.length);
  result[0] = mark;
  new DataView(result.buffer).setUint32(1, checksum(record, context), true);
  result.set(record, headBytes);
  return result;
}

/**
 * The record; as it is when it was stored before records had checksums.
 *
 * @throws RangeError it, or a column beside it, is not what was stored
 */
export function unsealed(stored: Uint8Array, context: Context): Uint8Array {
  if (stored[0] !== mark) return stored;
  const record = stored.subarray(headBytes);
  if (stored.length < headBytes) throw new RangeError('a stored record is too short');
  const said = new DataView(stored.buffer, stored.byteOffset).getUint32(1, true);
  if (said !== checksum(record, context)) throw new RangeError('the checksum of a stored record is wrong');
  return record;
}

/** Without looking at the checksum: for what is about to be deleted. */
export function unchecked(stored: Uint8Array): Uint8Array {
  return stored[0] === mark ? stored.subarray(headBytes) : stored;
}

/** The same for a text without tabs: its checksum follows behind one. */
export function sealedText(text: string, context: Context): string {
  return `${text}\t${textChecksum(text, context)}`;
}

/** @throws RangeError */
export function unsealedText(stored: string, context: Context): string {
  const [text = '', said] = stored.split('\t', 2);
  if (said !== undefined && said !== textChecksum(text, context))
    throw new RangeError(`the checksum of ${JSON.stringify(text.slice(0, 80))} is wrong`);
  return text;
}

function textChecksum(text: string, context: Context): string {
  return checksum(new TextEncoder().encode(text), context).toString(16).padStart(8, '0');
}

/** What the record of a profile is sealed with. */
export function sealedRowContext(
  epoch: number,
  series: string,
  header: string,
  row: { readonly time_ms: number; readonly label_sets: Uint8Array; readonly totals: Uint8Array },
): Context {
  return [String(epoch), series, header, String(row.time_ms), row.label_sets, row.totals];
}

/** Without a prototype, so that a label named `constructor` is absent where it is absent. */
export function parseLabels(text: string): Labels {
  return Object.assign(Object.create(null), JSON.parse(text)) as Labels;
}

/** Equal for equal series. */
export function seriesKey(name: string, labels: Labels): string {
  return JSON.stringify([name, labelsKey(labels)]);
}

function checksum(record: Uint8Array, context: Context): number {
  let sum = 0;
  for (const part of context) sum = crc32(part, sum);
  return crc32(record, sum);
}
