import { asResult, BinaryFormatError } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { forms } from './dwarf-codes.ts';
import type { DwarfReader } from './dwarf-reader.ts';
import type { DwarfUnit } from './dwarf-unit.ts';
import { readNumber, skipForm, type UnitShape } from './forms.ts';
import { textAt } from './text-at.ts';

/** What an entry of the table consists of (DWARF 5, 6.2.4.1). */
const contents = { path: 1, directoryIndex: 2 } as const;

/** A list of names in the line table's head, as places of the text: it is read when a name is asked for. 16 bytes a name. */
class NameList {
  readonly #forms = new GrowableUint32Array(32);
  readonly #values = new GrowableFloat64Array(32);
  readonly #directories = new GrowableUint32Array(32);

  get byteLength(): number {
    return 16 * this.#forms.length;
  }

  get length(): number {
    return this.#forms.length;
  }

  push(form: number, value: number, directory: number): void {
    this.#forms.push(form);
    this.#values.push(value);
    this.#directories.push(directory);
  }

  directoryOf(index: number): number {
    return this.#directories.at(index);
  }

  /** Empty where there is no such name. */
  text(index: number, unit: DwarfUnit, lines: ByteSource): string {
    if (index >= this.#forms.length) return '';
    const form = this.#forms.at(index);
    const value = this.#values.view()[index] ?? 0;
    const text = asResult(() =>
      form === forms.string ? textAt(lines, value) : (unit.text({ form, value }, new Uint8Array(0)) ?? ''),
    );
    return text.ok ? text.value : '';
  }
}

/** The files and directories of one line table. */
export class LineFiles {
  readonly #directories = new NameList();
  readonly #files = new NameList();
  readonly #version: number;
  /** Of the reader's bytes in the section. */
  readonly #origin: number;

  constructor(version: number, origin: number) {
    this.#version = version;
    this.#origin = origin;
  }

  get byteLength(): number {
    return this.#directories.byteLength + this.#files.byteLength;
  }

  /** Reads the lists in the head of a table. Throws `BinaryFormatError`. */
  readLists(reader: DwarfReader, shape: UnitShape): void {
    if (this.#version >= 5) {
      this.#readDescribed(reader, shape, this.#directories);
      this.#readDescribed(reader, shape, this.#files);
      return;
    }
    // Index 0 is the directory of compilation.
    this.#directories.push(0, 0, 0);
    for (;;) {
      const at = reader.position;
      if (reader.stringBytes().length === 0) break;
      this.#directories.push(forms.string, this.#origin + at, 0);
    }
    this.#files.push(0, 0, 0);
    for (;;) {
      const at = reader.position;
      if (reader.stringBytes().length === 0) break;
      this.#pushLegacyFile(reader, at);
    }
  }

  /** `DW_LNE_define_file`. */
  define(reader: DwarfReader): void {
    const at = reader.position;
    reader.stringBytes();
    this.#pushLegacyFile(reader, at);
  }

  #pushLegacyFile(reader: DwarfReader, at: number): void {
    const directory = reader.uleb();
    reader.skipLeb();
    reader.skipLeb();
    this.#files.push(forms.string, this.#origin + at, directory);
  }

  #readDescribed(reader: DwarfReader, shape: UnitShape, list: NameList): void {
    const formats: number[] = [];
    const formatCount = reader.u8();
    for (let i = 0; i < formatCount; i++) formats.push(reader.uleb(), reader.uleb());
    const count = reader.uleb();
    // Every entry has at least a byte: a count beyond the bytes would be a loop over nothing.
    if (count > reader.end - reader.position) throw new BinaryFormatError('malformed', `DWARF: ${count} files`);
    for (let i = 0; i < count; i++) {
      let [pathForm, path, directory] = [0, 0, 0];
      for (let j = 0; j < formats.length; j += 2) {
        const content = formats[j] ?? 0;
        const form = formats[j + 1] ?? 0;
        if (content === contents.directoryIndex) directory = readNumber(reader, form, 0, shape);
        else if (content === contents.path) {
          pathForm = form;
          path = this.#origin + reader.position;
          if (form === forms.string) skipForm(reader, form, shape);
          else path = readNumber(reader, form, 0, shape);
        } else skipForm(reader, form, shape);
      }
      list.push(pathForm, path, directory);
    }
  }

  /** The path of a file by the index that rows and `DW_AT_call_file` have; empty where there is none. `lines` is `.debug_line`. */
  path(index: number, unit: DwarfUnit, lines: ByteSource): string {
    const name = this.#files.text(index, unit, lines);
    if (name === '' || name.startsWith('/')) return name;
    const directoryIndex = this.#files.directoryOf(index);
    const directory = this.#directories.text(directoryIndex, unit, lines);
    if (directory.startsWith('/')) return join(directory, name);
    const compDir = asResult(() => unit.compDir);
    // In DWARF 5 directory 0 is that of compilation itself.
    return join(compDir.ok ? compDir.value : '', join(directory, name));
  }
}

function join(directory: string, name: string): string {
  if (directory === '') return name;
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}
