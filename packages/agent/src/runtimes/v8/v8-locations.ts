import type { ResolvedLine, ResolvedLocation } from '../../symbols/symbolizer.ts';
import { anonymousMapping } from '../../symbols/user-locations.ts';
import type { FrameLine, V8Frame } from './v8-process.ts';

/**
 * V8's own frames between those of functions: the interpreter with the handlers of its bytecodes, and what takes arguments from one kind of
 * code to another. The time that is spent there is the function's.
 */
const glue =
  /^Builtins_(?:Interpreter\w*|Baseline\w*|\w*Handler|JS(?:Construct)?Entry\w*|JSRunMicrotasksEntry|JSConstructStub\w*|JSBuiltinsConstructStub|CEntry_\w*|Call_\w*|CallFunction_\w*|CallWithSpread\w*|CallBoundFunction|Construct(?:_\w*|WithSpread\w*)?|ArgumentsAdaptorTrampoline|AdaptorWithBuiltinExitFrame\w*|MaglevFunctionEntryStackCheck\w*|CompileLazy\w*|DeoptimizationEntry_\w*|NotifyDeoptimized)$/;

/** Is it such a frame? Told by its symbol. */
export function isV8Glue({ kind, lines }: ResolvedLocation): boolean {
  const name = lines[0]?.systemName ?? '';
  return kind === 'native' && name.startsWith('Builtins_') && glue.test(name);
}

/** `native`: what the address alone tells; it stays where a builtin runs for a function, and where the function is not known. */
export function v8Locations(frame: V8Frame | undefined, native: ResolvedLocation): readonly ResolvedLocation[] {
  const own = native.kind !== 'native' || isV8Glue(native) ? [] : [native];
  if (frame === undefined) return native.kind === 'native' ? own : [native];
  const found = [...own, locationOf(frame.lines)];
  return frame.callerLines.length === 0 ? found : [...found, locationOf(frame.callerLines)];
}

/** JavaScript is told by file and line: an address in one process's memory would mean nothing elsewhere. */
function locationOf(lines: readonly FrameLine[]): ResolvedLocation {
  return { mapping: anonymousMapping, address: 0n, kind: 'jit', lines: lines.map(lineOfFrame) };
}

function lineOfFrame({ function: { name, script, line: startLine }, line }: FrameLine): ResolvedLine {
  return { name, systemName: name, file: script.name, line: line === 0 ? startLine : line, startLine };
}
