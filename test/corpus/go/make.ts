// Makes a file of this corpus: see README.md. Arguments: the stripped program, its unstripped twin, the output without ending.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { type ByteSource, openGoFunctions, readElfFile, type SourceLine } from '@everflame/binary';

/** Remembers what was read. */
class TouchedSource implements ByteSource {
  readonly size: number;
  readonly touched: Uint8Array;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
    this.touched = new Uint8Array(bytes.length);
  }

  read(offset: number, length: number): Uint8Array {
    const read = this.#bytes.subarray(offset, offset + length);
    this.touched.set(read, offset);
    return read;
  }
}

const [stripped = '', unstripped = '', output = ''] = process.argv.slice(2);
const source = new TouchedSource(readFileSync(stripped));
const elf = readElfFile(source);
if (!elf.ok) throw new Error(elf.error.detail);
const functions = openGoFunctions(elf.value);
if (!functions.ok || functions.value === undefined) throw new Error('no table of Go');
const symbols = execFileSync('nm', [unstripped], { encoding: 'utf8', maxBuffer: 1 << 28 });
const addressOf = (name: string): number =>
  Number(`0x${new RegExp(`^([0-9a-f]+) . ${name}$`, 'm').exec(symbols)?.[1] ?? ''}`);
const starts = ['main.main', 'main.Planted', 'runtime.mallocgc', 'runtime.schedule', 'fmt.Sprint'].map(addressOf);
const addresses = starts.flatMap((start) => [0, 7, 33, 47, 52, 63, 77, 91, 140].map((offset) => start + offset));
const drawn = addresses.map((address) => {
  const ours = functions.value?.find(BigInt(address)) ?? [];
  const judged = judge(address);
  // Before 1.18 only the innermost line and the outermost function are known.
  const isOld = functions.value?.hasInlines !== true;
  const same = isOld
    ? (judged[0] ?? '').split(' ').at(-1) === draw(ours[0]).split(' ').at(-1)
    : judged.join('\n') === ours.map((line) => draw(line)).join('\n');
  if (!same) throw new Error(`${address.toString(16)}: ${ours.map((line) => draw(line)).join(' | ')}, not ${judged.join(' | ')}`);
  return [`0x${address.toString(16)}`, ...ours.map((line) => `  ${draw(line)}`)].join('\n');
});
const kept = readFileSync(stripped).map((byte, i) => (source.touched[i] === 0 ? 0 : byte));
// What was touched is mostly zero itself, so bytes are not marked: the file has its length and is sparse.
writeFileSync(`${output}.elf.zst`, zstdCompressSync(kept));
writeFileSync(`${output}.txt`, `${drawn.join('\n')}\n`);

function draw(line: SourceLine | undefined): string {
  return line === undefined ? '' : `${line.function} ${position(`${line.file}:${line.line}`)}`;
}

function judge(address: number): string[] {
  const flags = [`--obj=${unstripped}`, '--inlines', '--no-demangle', '--output-style=GNU'];
  const text = execFileSync('llvm-symbolizer', [...flags, `0x${address.toString(16)}`], { encoding: 'utf8' });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('??'));
  return lines.flatMap((line, i) => (i % 2 === 0 ? [`${line} ${position(lines[i + 1])}`] : []));
}

/** With -trimpath the directory of a unit is `.`. */
function position(text = ''): string {
  return text.replace(/ \(discriminator.*/, '').replace(/^(\.\/)+/, '');
}
