import { readPythonAttribute } from './python-attribute.ts';
import { readPythonDict } from './python-dict.ts';
import type { PythonLayout } from './python-layout.ts';
import { isPythonText, type PythonMemory, readPythonText } from './python-text.ts';
import { PythonTypes } from './python-types.ts';

/** Interpreters of a process that are looked through; of most there is one. */
const mostInterpreters = 16;
/** Modules of a program and threads that Python knows; large services have 5,000 modules, and `threading` is among the first. */
const mostEntries = 4096;
/** PyModuleObject: md_dict. */
const moduleDictAt = 16;
/** PyLongObject: its size, or from 3.12 on a tag; its digits, of 30 bits. */
const intSizeAt = 16;
const intDigitsAt = 24;
const digitValue = 2 ** 30;

/** Remembers that something could not be read. */
class CheckedMemory implements PythonMemory {
  hasFailed = false;
  readonly #memory: PythonMemory;

  constructor(memory: PythonMemory) {
    this.#memory = memory;
  }

  /** What has failed before is no news any more. */
  forgive(): void {
    this.hasFailed = false;
  }

  word(address: number): number | undefined {
    const word = this.#memory.word(address);
    this.hasFailed ||= word === undefined;
    return word;
  }

  bytes(address: number, length: number): Buffer | undefined {
    const bytes = this.#memory.bytes(address, length);
    this.hasFailed ||= bytes === undefined;
    return bytes;
  }
}

/**
 * The names that a program has given its threads: `threading._active`, a dict of Thread objects by what pthread_self answers in each. Up to 3.13 the
 * kernel is not told of them. Everything that is read may be a lie.
 */
export class PythonThreads {
  readonly #layout: PythonLayout;
  readonly #runtime: number;
  readonly #memory: CheckedMemory;
  readonly #types: PythonTypes;
  /** `threading._active` by interpreter: the one dict for as long as the interpreter lives. */
  readonly #active = new Map<number, number>();

  /** `bias`: address in the process - ELF virtual address. */
  constructor(layout: PythonLayout, bias: number, memory: PythonMemory) {
    this.#layout = layout;
    this.#runtime = Number(layout.runtime) + bias;
    this.#memory = new CheckedMemory(memory);
    this.#types = new PythonTypes(this.#memory);
  }

  /** The name of the thread; `none` where Python knows of none, `unread` where that could not be found out. */
  nameOf(threadPointer: number): { readonly name: string } | 'none' | 'unread' {
    this.#memory.forgive();
    // The last one is the main interpreter: others know the thread that runs them by another name.
    const thread = this.#interpreters()
      .map((interpreter) => this.#threadIn(interpreter, threadPointer))
      .findLast((each) => each !== undefined);
    if (thread === undefined) return this.#memory.hasFailed ? 'unread' : 'none';
    const name = this.#nameIn(thread);
    return name === undefined ? 'unread' : { name };
  }

  #interpreters(): readonly number[] {
    const { interpreters, interpreterNext } = this.#layout.frames;
    const found: number[] = [];
    let interpreter = this.#memory.word(this.#runtime + interpreters) ?? 0;
    while (interpreter !== 0 && found.length < mostInterpreters) {
      found.push(interpreter);
      interpreter = this.#memory.word(interpreter + interpreterNext) ?? 0;
    }
    return found;
  }

  #nameIn(thread: number): string | undefined {
    const { text, objects } = this.#layout;
    const name = readPythonAttribute(this.#memory, objects, thread, (key) => this.#isText(key, '_name'));
    if (name === undefined || !this.#types.isOf(name, 'str')) return undefined;
    return readPythonText(this.#memory, text, name);
  }

  #threadIn(interpreter: number, threadPointer: number): number | undefined {
    const active = this.#activeOf(interpreter);
    const entries = active === undefined ? undefined : this.#entriesOf(active);
    return entries?.find(({ key }) => this.#isInt(key, threadPointer))?.value;
  }

  /** Undefined while the program has not imported `threading`. */
  #activeOf(interpreter: number): number | undefined {
    const known = this.#active.get(interpreter);
    if (known !== undefined && this.#types.isOf(known, 'dict')) return known;
    this.#active.delete(interpreter);
    const modules = this.#memory.word(interpreter + this.#layout.objects.modules) ?? 0;
    const threading = modules === 0 ? undefined : this.#itemOf(modules, 'threading');
    if (threading === undefined || !this.#types.isOf(threading, 'module')) return undefined;
    const active = this.#itemOf(this.#memory.word(threading + moduleDictAt) ?? 0, '_active');
    if (active === undefined || !this.#types.isOf(active, 'dict')) return undefined;
    if (this.#active.size >= mostInterpreters) this.#active.clear();
    this.#active.set(interpreter, active);
    return active;
  }

  #itemOf(dict: number, name: string): number | undefined {
    return this.#entriesOf(dict)?.find(({ key }) => this.#isText(key, name))?.value;
  }

  #entriesOf(dict: number): ReturnType<typeof readPythonDict> {
    if (!this.#types.isOf(dict, 'dict')) return undefined;
    return readPythonDict(this.#memory, this.#layout.objects, dict, mostEntries);
  }

  #isText(address: number, text: string): boolean {
    return isPythonText(this.#memory, this.#layout.text, address, text);
  }

  #isInt(address: number, value: number): boolean {
    const bytes = this.#memory.bytes(address + intSizeAt, intDigitsAt - intSizeAt + 8);
    if (bytes === undefined) return false;
    const size = bytes.readUInt32LE(0);
    const digits = this.#layout.objects.hasIntTag ? size >>> 3 : size;
    const [low, high] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
    // Addresses have two digits, of 30 bits each.
    return digits === 2 && low + high * digitValue === value;
  }
}
