/** A JavaScript function as its author knows it. */
export interface ScriptFunction {
  /** `(anonymous) FILE:LINE` where it has none, so that two of them are not taken for one. */
  readonly name: string;
  /** Path or URL of the script; '' when V8 does not say. */
  readonly file: string;
  /** Where the function begins; 0 when V8 does not say. */
  readonly line: number;
}

/**
 * `JS:*renderInvoice file:///shop/invoice.mjs:44:30`. The marks before the name are the tier: `~` interpreted, `^` baseline, `+` Maglev, `*`
 * TurboFan, `'` without context specialisation (V8, src/objects/code-kind.cc, CodeKindToMarker). V8 before 9.x says LazyCompile,
 * Function, Script or Eval in place of JS (src/logging/log.cc).
 */
const jsName =
  /^(?:JS|LazyCompile|Function|Script|Eval):[~^+*']*(?<name>\S*)(?: (?<file>.*?)(?::(?<line>\d+))?(?::\d+)?)?$/u;

/**
 * What V8 writes to a perf map or jitdump for one tier of a function, as the function: its tiers are then one. Undefined for a name that is no
 * JavaScript function (`Builtin:…`, `RegExp:…`, other writers' names).
 */
export function parseV8Name(text: string): ScriptFunction | undefined {
  const parts = jsName.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const file = parts['file'] ?? '';
  const line = Number(parts['line'] ?? 0);
  if (parts['name'] !== undefined && parts['name'] !== '') return { name: parts['name'], file, line };
  const base = file.slice(file.lastIndexOf('/') + 1);
  return { name: base === '' ? '(anonymous)' : `(anonymous) ${base}:${line}`, file, line };
}
