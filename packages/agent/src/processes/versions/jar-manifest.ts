import { inflateRawSync } from 'node:zlib';
import { asResult, type ByteSource, BinaryFormatError, type BinaryResult, readExactly } from '@everflame/binary';

/** A comment behind the directory may be 64 KiB long; JARs have none. */
const mostTail = 22 + 4 * 1024;
/** The manifest is the first or second entry of a JAR by its specification; others put it anywhere. */
const mostDirectory = 1024 * 1024;
const mostManifest = 256 * 1024;
const signatures = { end: 0x06054b50, entry: 0x02014b50, local: 0x04034b50 } as const;

/** The manifest of a JAR (APPNOTE.TXT of PKWARE, §4.3): its main attributes; undefined where there is none. */
export function readJarManifest(source: ByteSource): BinaryResult<ReadonlyMap<string, string> | undefined> {
  return asResult(() => {
    const tailBytes = Math.min(mostTail, source.size);
    const tail = Buffer.from(readExactly(source, source.size - tailBytes, tailBytes));
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== signatures.end) end--;
    if (end < 0) throw new BinaryFormatError('malformed', 'no directory of a ZIP file');
    const size = tail.readUInt32LE(end + 12);
    const directory = Buffer.from(readExactly(source, tail.readUInt32LE(end + 16), Math.min(size, mostDirectory)));
    for (let at = 0; at + 46 <= directory.length;) {
      if (directory.readUInt32LE(at) !== signatures.entry)
        throw new BinaryFormatError('malformed', 'an entry of the directory');
      const nameBytes = directory.readUInt16LE(at + 28);
      const next = at + 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
      if (directory.toString('latin1', at + 46, at + 46 + nameBytes) === 'META-INF/MANIFEST.MF') {
        return attributesOf(contentOf(source, directory.subarray(at, at + 46)));
      }
      at = next;
    }
    return undefined;
  });
}

function contentOf(source: ByteSource, entry: Buffer): string {
  const method = entry.readUInt16LE(10);
  const packedBytes = entry.readUInt32LE(20);
  const bytes = entry.readUInt32LE(24);
  if (packedBytes > mostManifest || bytes > mostManifest)
    throw new BinaryFormatError('too_large', `a manifest of ${bytes} bytes`);
  const localAt = entry.readUInt32LE(42);
  const local = Buffer.from(readExactly(source, localAt, 30));
  if (local.readUInt32LE(0) !== signatures.local) throw new BinaryFormatError('malformed', 'a local header');
  const start = localAt + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed = readExactly(source, start, packedBytes);
  if (method === 0) return Buffer.from(packed).toString('utf8');
  if (method !== 8) throw new BinaryFormatError('unsupported', `compression ${method}`);
  try {
    return inflateRawSync(packed, { maxOutputLength: mostManifest }).toString('utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new BinaryFormatError('malformed', error.message);
  }
}

/** The main section ends at the first empty line; a line that begins with a space goes on with the one before. */
function attributesOf(text: string): ReadonlyMap<string, string> {
  const [main = ''] = text.split(/\r?\n\r?\n/u, 1);
  const attributes = new Map<string, string>();
  for (const line of main.replaceAll(/\r?\n /gu, '').split(/\r?\n/u)) {
    const colon = line.indexOf(':');
    if (colon > 0) attributes.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return attributes;
}
