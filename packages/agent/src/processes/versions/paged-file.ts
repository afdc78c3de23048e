import type { ByteSource } from '@everflame/binary';
import type { RootFile } from './root-files.ts';

const pageBytes = 16 * 1024;
/** Headers and a table here and there: an ELF file takes three pages, a JAR two. */
const mostPages = 96;

/** A page that has to be read first. */
class MissingPage extends Error {
  readonly page: number;

  constructor(page: number) {
    super(`page ${page}`);
    this.page = page;
  }
}

/**
 * Runs a reader, which is synchronous, on a file, whose reading must not be: each page that the reader lacks is read in the thread pool and the reader
 * begins anew. Undefined when it asks for more than 1.5 MB or the file shrinks.
 */
export async function onPages<T>({ handle, size }: RootFile, read: (source: ByteSource) => T): Promise<T | undefined> {
  const pages = new Map<number, Uint8Array>();
  const source: ByteSource = {
    size,
    read: (offset, length) => {
      const end = Math.min(offset + length, size);
      if (offset < 0 || end <= offset) return new Uint8Array(0);
      const first = Math.floor(offset / pageBytes);
      const last = Math.floor((end - 1) / pageBytes);
      if (first === last) return pageOf(first).subarray(offset - first * pageBytes, end - first * pageBytes);
      const bytes = new Uint8Array(end - offset);
      for (let page = first; page <= last; page++) {
        const start = Math.max(offset, page * pageBytes);
        const part = pageOf(page).subarray(start - page * pageBytes, end - page * pageBytes);
        bytes.set(part, start - offset);
      }
      return bytes;
    },
  };
  const pageOf = (page: number): Uint8Array => {
    const known = pages.get(page);
    if (known === undefined) throw new MissingPage(page);
    return known;
  };
  for (;;) {
    try {
      return read(source);
    } catch (error) {
      if (!(error instanceof MissingPage)) throw error;
      if (pages.size >= mostPages) return undefined;
      const bytes = new Uint8Array(Math.min(pageBytes, size - error.page * pageBytes));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, error.page * pageBytes);
      if (bytesRead < bytes.length) return undefined;
      pages.set(error.page, bytes);
    }
  }
}
