import type { V8Heap } from './v8-heap.ts';
import { lineOf, readV8Script, type V8Script } from './v8-script.ts';

/** A function as its author knows it. */
export interface V8Function {
  readonly name: string;
  readonly script: V8Script;
  /** Where it begins; 0 where that is not known. */
  readonly line: number;
  /** False where a part of it could not be read: the name may be another one. */
  readonly isWhole: boolean;
  /** What the object said when it was read: another one may lie there later. */
  readonly nameWord: number;
  readonly scriptWord: number;
}

/** Words of a ScopeInfo behind its locals in which the names and the position lie. */
const wordsBehindLocals = 8;
/** Locals whose names lie in the object itself; the names of more are in a table (src/objects/scope-info.h, kScopeInfoMaxInlinedLocalNamesSize). */
const mostInlinedNames = 75;
const mostLocals = 65_536;

/** Scripts of one process by their address. A script's object moves with the garbage collector: then it is read once more. */
export class V8Scripts {
  readonly #heap: V8Heap;
  readonly #scripts = new Map<number, { readonly script: V8Script; readonly source: number | undefined }>();
  #lines = 0;

  constructor(heap: V8Heap) {
    this.#heap = heap;
  }

  get(word: number): V8Script | undefined {
    const known = this.#scripts.get(word);
    const source = this.#heap.field(word, this.#heap.layout.script.source);
    if (known !== undefined && (known.source === source || source === undefined)) return known.script;
    const script = readV8Script(this.#heap, word);
    if (script === undefined) return undefined;
    // As much was read as is read at a time: its lines are to be had later.
    if (script.lineStarts === undefined && this.#heap.memory.isExhausted) return script;
    if (this.#scripts.size >= mostScripts || this.#lines > mostLines) {
      this.#scripts.clear();
      this.#lines = 0;
    }
    this.#lines += script.lineStarts?.length ?? 0;
    this.#scripts.set(word, { script, source });
    return script;
  }
}

/** Of a process; a service has some thousand modules. Their lines take 4 bytes each. */
const mostScripts = 16_384;
const mostLines = 1 << 20;

/**
 * `word`: a SharedFunctionInfo. Undefined where it cannot be one, or is none of a script: V8's own functions are native code. An anonymous function has the name
 * that V8 has inferred, or `(anonymous) FILE:LINE`.
 */
export function readV8Function(heap: V8Heap, scripts: V8Scripts, word: number): V8Function | undefined {
  const { shared, types } = heap.layout;
  if (heap.typeOf(word) !== types.sharedFunctionInfo) return undefined;
  const scriptWord = heap.field(word, shared.script);
  const nameWord = heap.field(word, shared.name);
  if (scriptWord === undefined || nameWord === undefined) return undefined;
  const script = scripts.get(scriptWord);
  if (script === undefined) return undefined;
  const { names, position, isRead } = readScope(heap, nameWord);
  const line = position === undefined ? 0 : lineOf(script, position);
  const name = names.find((each) => each !== '') ?? anonymous(script, line, position);
  return { name, script, line, isWhole: isRead && line > 0, nameWord, scriptWord };
}

/** Does the object still say what it said? */
export function isSameFunction(heap: V8Heap, word: number, { nameWord, scriptWord }: V8Function): boolean {
  const { shared } = heap.layout;
  return heap.field(word, shared.name) === nameWord && heap.field(word, shared.script) === scriptWord;
}

function anonymous({ name }: V8Script, line: number, position: number | undefined): string {
  const base = name.slice(name.lastIndexOf('/') + 1);
  // The code of a file itself begins with its first character.
  if (position === 0 && base !== '') return `(module) ${base}`;
  return base === '' ? '(anonymous)' : `(anonymous) ${base}:${line}`;
}

interface Scope {
  readonly names: readonly string[];
  readonly position: number | undefined;
  /** False where no name was found and something could not be read now: it may be the name. */
  readonly isRead: boolean;
}

/**
 * A function that was never compiled has its name in its SharedFunctionInfo; any other in a ScopeInfo: behind the locals the name, an index, the
 * inferred name if there is one, and before V8 13 the first and last character.
 */
function readScope(heap: V8Heap, word: number): Scope {
  const { scopeInfo, types } = heap.layout;
  const text = heap.textOrNone(word);
  if (text !== null) return { names: [text ?? ''], position: undefined, isRead: text !== undefined };
  if (heap.typeOf(word) !== types.scopeInfo) return { names: [], position: undefined, isRead: true };
  const locals = heap.smi(word, scopeInfo.localCount) ?? -1;
  if (locals < 0 || locals > mostLocals) return { names: [], position: undefined, isRead: false };
  const localWords = locals < mostInlinedNames ? 2 * locals : 1 + locals;
  const behind = scopeInfo.firstLocal + 8 * localWords;
  const names: string[] = [];
  let position = scopeInfo.position === undefined ? undefined : heap.smi(word, scopeInfo.position);
  let lastSmi: number | undefined;
  let hasObject = false;
  let isRead = true;
  for (let i = 0; i < wordsBehindLocals; i++) {
    const at = behind + 8 * i;
    const smi = heap.smi(word, at);
    if (smi === undefined) {
      const value = heap.field(word, at);
      const name = value === undefined ? undefined : heap.textOrNone(value);
      if (name === undefined) {
        isRead = false;
        break;
      }
      if (name !== null) names.push(name);
      else if (names.length > 0 && i > 2) break;
      hasObject = true;
      lastSmi = undefined;
      // The name, and the inferred one.
      if (names.length === 2 && position !== undefined) break;
      continue;
    }
    // Two neighbours behind the names that can be the first and the last character.
    if (position === undefined && hasObject && lastSmi !== undefined && i >= 3 && lastSmi >= 0 && smi >= lastSmi) {
      position = lastSmi;
      break;
    }
    lastSmi = smi;
  }
  return { names, position, isRead: isRead || names.some((name) => name !== '') };
}
