import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';

export interface CorpusFile {
  /** `go-1.26.8/heap.pb.gz` */
  readonly name: string;
  readonly path: string;
  /** Decompressed. */
  readonly bytes: Uint8Array;
}

/** All profiles of this folder; what they are says PROVENANCE.md. */
export function pprofCorpus(): CorpusFile[] {
  const folder = import.meta.dirname;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.pb(\.gz|\.zst)?$/.test(name))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const raw = readFileSync(path);
      const bytes = name.endsWith('.gz') ? gunzipSync(raw) : name.endsWith('.zst') ? zstdDecompressSync(raw) : raw;
      return { name, path, bytes: new Uint8Array(bytes) };
    });
}
