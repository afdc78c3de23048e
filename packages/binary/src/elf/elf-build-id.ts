import { asResult, type BinaryResult } from '../binary-error.ts';
import { readExactly } from '../byte-source.ts';
import { type ElfFile, sectionTypes, segmentTypes } from './elf-file.ts';

/** What the file says of its own identity. */
export interface ElfBuildIds {
  /** `NT_GNU_BUILD_ID` in lower-case hex, as the kernel and debug files use it; '' where there is none. */
  readonly gnu: string;
  /** The text that the Go linker writes (`go tool buildid`); '' where there is none. */
  readonly go: string;
}

/** Notes are a few hundred bytes; Go's and the package metadata's below 4 KiB. */
const mostNoteBytes = 64 * 1024;
/** Segments and sections of notes; files have up to ten. */
const mostPlaces = 64;
const noteTypes = { gnuBuildId: 3, goBuildId: 4 } as const;

/** The build IDs, looked for in the note segments and then in the note sections. Damaged notes are skipped. */
export function readBuildIds(elf: ElfFile): ElfBuildIds {
  const places = [
    ...elf.segments.filter(({ type }) => type === segmentTypes.note).map((s) => ({ ...s, size: s.fileSize })),
    ...elf.sections.filter(({ type }) => type === sectionTypes.note).map((s) => ({ ...s, align: 4 })),
  ];
  let gnu = '';
  let go = '';
  for (const { fileOffset, size, align } of places.slice(0, mostPlaces)) {
    if (gnu !== '' && go !== '') break;
    const bytes = asResult(() => readExactly(elf.source, fileOffset, Math.min(size, mostNoteBytes)));
    if (!bytes.ok) continue;
    for (const note of notesOf(bytes.value, elf.littleEndian, align === 8 ? 8 : 4)) {
      if (note.type === noteTypes.gnuBuildId && note.owner === 'GNU') gnu ||= toHex(note.content);
      if (note.type === noteTypes.goBuildId && note.owner === 'Go') go ||= Buffer.from(note.content).toString('latin1');
    }
  }
  return { gnu, go };
}

/** The GNU build ID in a bare sequence of notes, such as `/sys/kernel/notes` (of this machine's byte order); '' without one. */
export function buildIdOfNotes(notes: Uint8Array): BinaryResult<string> {
  return asResult(() => {
    for (const note of notesOf(notes, true, 4)) {
      if (note.type === noteTypes.gnuBuildId && note.owner === 'GNU') return toHex(note.content);
    }
    return '';
  });
}

interface Note {
  readonly type: number;
  readonly owner: string;
  readonly content: Uint8Array;
}

function* notesOf(bytes: Uint8Array, littleEndian: boolean, align: 4 | 8): Generator<Note> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const padded = (length: number): number => Math.ceil(length / align) * align;
  let at = 0;
  while (at + 12 <= bytes.length) {
    const ownerSize = view.getUint32(at, littleEndian);
    const contentSize = view.getUint32(at + 4, littleEndian);
    const type = view.getUint32(at + 8, littleEndian);
    const contentAt = at + padded(12 + ownerSize);
    const end = contentAt + contentSize;
    if (end > bytes.length) return;
    // Ends with a NUL; Go counts its padding as well.
    const owner = Buffer.from(bytes.subarray(at + 12, at + 12 + ownerSize))
      .toString('latin1')
      .replace(/\0+$/, '');
    yield { type, owner, content: bytes.subarray(contentAt, end) };
    at += padded(contentAt - at + contentSize);
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
