import type { ProcessMapping } from '../../processes/process.ts';
import type { ResolvedLocation } from '../../symbols/symbolizer.ts';
import { anonymousMapping } from '../../symbols/user-locations.ts';
import type { ReadNote } from '../frame-note.ts';
import type { FrameReader, RuntimeFrame, ThreadLabel } from '../frame-reader.ts';
import type { ProcessMemory } from '../process-memory.ts';
import type { PythonLayout } from './python-layout.ts';
import { type PythonFrame, PythonProcess } from './python-process.ts';
import { PythonThreads } from './python-threads.ts';

/** Beside `thread_name`, which is the kernel's: the two differ up to 3.13, and from 3.14 on where Python's is longer than 15 bytes. */
const threadNameKey = 'python_thread_name';

/**
 * CPython's own frames between those of functions: what evaluates code, calls, and starts the program. The time that is spent there is the
 * function's. The loop itself is none of them: without a note it stands for a function that is not known.
 */
const glue =
  /^(?:_PyEval_(?!EvalFrameDefault)\w+|PyEval_Eval\w*|_PyFunction_Vectorcall|function_code_fastcall|call_function|do_call_core|_?PyObject_(?:Call\w*|Vectorcall\w*|FastCall\w*|MakeTpCall)|_PyObject_(?:FastCallDict\w*|Call_Prepend)|object_vacall|_?PyCFunction_\w*[Cc]all\w*|cfunction_\w*call\w*|_?PyVectorcall_\w+|vectorcall_\w+|method_vectorcall\w*|PyMethod_\w*[Cc]all|slot_tp_\w+|type_call|gen_send\w*|gen_iternext|_?PyGen_\w+|PyIter_Send|builtin_exec|run_eval_code_obj|run_mod|pyrun_\w+|_?PyRun_\w+|pymain_\w+|Py_(?:RunMain|BytesMain|Main)|trace_call_function|call_unbound\w*|vgetargs\w*)(?:\.(?:cold|constprop|isra|part|lto_priv|llvm)[.\d]*)*$/;

class ShownPythonFrame implements RuntimeFrame {
  readonly #frame: PythonFrame;

  constructor(frame: PythonFrame) {
    this.#frame = frame;
  }

  get isWhole(): boolean {
    return true;
  }

  get unnamed(): number {
    return 0;
  }

  isStillIn(process: PythonProcess, code: number): boolean {
    return process.isStill(this.#frame.function, code);
  }

  /** In place of the interpreter's loop. Python is told by file and line: an address in one process's memory would mean nothing elsewhere. */
  show(): readonly ResolvedLocation[] {
    const { function: its, line } = this.#frame;
    // What CPython itself puts between an object's making and its __init__ has no file.
    if (its.file === '') return [];
    const { name, file, firstLine: startLine } = its;
    const lines = [{ name, systemName: name, file, line: line === 0 ? startLine : line, startLine }];
    return [{ mapping: anonymousMapping, address: 0n, kind: 'jit', lines }];
  }
}

/** Notes of CPython's: the object is a code object. */
export class PythonFrameReader implements FrameReader {
  readonly #process: PythonProcess;
  readonly #threads: PythonThreads;
  readonly #own: ProcessMapping;

  /** `own`: the mapping of the program or library that CPython is linked into; `bias`: address in the process - ELF virtual address. */
  constructor(layout: PythonLayout, bias: number, memory: ProcessMemory, own: ProcessMapping) {
    this.#process = new PythonProcess(layout, memory);
    this.#threads = new PythonThreads(layout, bias, memory);
    this.#own = own;
  }

  readThread(threadPointer: number): ThreadLabel {
    const found = this.#threads.nameOf(threadPointer);
    if (typeof found === 'string') return found;
    // An empty text would be the number 0 in pprof.
    return found.name === '' ? 'none' : { key: threadNameKey, text: found.name };
  }

  read(_mapping: ProcessMapping | undefined, _pc: number, note: ReadNote): RuntimeFrame | undefined {
    const frame = this.#process.frame(note);
    return frame === undefined ? undefined : new ShownPythonFrame(frame);
  }

  isStill(frame: RuntimeFrame, { object }: ReadNote): boolean {
    return frame instanceof ShownPythonFrame && frame.isStillIn(this.#process, object);
  }

  showUnread(native: ResolvedLocation): readonly ResolvedLocation[] {
    return [native];
  }

  /** What distributions have stripped of its name tells nobody anything: it is the function's that called it. */
  isGlue(mapping: ProcessMapping | undefined, { kind, lines }: ResolvedLocation): boolean {
    if (mapping === undefined || !isSameFile(mapping, this.#own)) return false;
    return kind === 'unsymbolized' || glue.test(lines.at(-1)?.systemName ?? '');
  }
}

function isSameFile(one: ProcessMapping, other: ProcessMapping): boolean {
  if (one.buildId !== '' && other.buildId !== '') return one.buildId === other.buildId;
  return one.path === other.path && one.inode === other.inode;
}
