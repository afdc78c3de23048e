/** V8's names for perf: `JS:*render file:///srv/shop/invoice.mjs:50:30`, `*` and the like telling how it was compiled. */
const scriptName = /^JS:([*~^+']*)(\S*) (?:\S*\/)?([^\s/]+:\d+):\d+$/u;

/**
 * A name for a narrow place: C++ and Rust names without parameters and template arguments, scripts without
 * their folder, everything else as it is. Full
 * names stand in tooltips.
 */
export function shortName(name: string): string {
  const script = scriptName.exec(name);
  if (script !== null) return `${script[1]}${script[2] === '' ? '(anonymous)' : script[2]} ${script[3]}`;
  if (name.length < 24 || name.startsWith('<') || !name.includes('::') || name.includes('operator')) return name;
  return withoutArguments(name.replace(/\s+const$/u, ''));
}

/** The function of a frame that is a line of it, `FUNCTION FILE:LINE` in `FILE:LINE`; else the name of the frame. */
export function functionOfFrame(name: string, file: string): string {
  return /:\d+$/u.test(file) && name.endsWith(` ${file}`) ? name.slice(0, -file.length - 1) : name;
}

/** A short name of a frame; of a line without the folder of its file. */
export function shortFrameName(name: string, file: string): string {
  const of = functionOfFrame(name, file);
  return of === name ? shortName(name) : `${shortName(of)} ${file.slice(file.lastIndexOf('/') + 1)}`;
}

function withoutArguments(name: string): string {
  // A Go-like `(*T)` or a Rust `<T as Trait>` is no list of arguments: those follow an identifier.
  const end = name.endsWith(')') ? openingOf(name, name.length - 1) : name.length;
  const head = end > 0 ? name.slice(0, end) : name;
  let out = '';
  let depth = 0;
  for (let at = 0; at < head.length; at++) {
    const char = head[at] ?? '';
    if (char === '<' && (depth > 0 || /[\w:]$/u.test(out))) {
      if (depth === 0) out += '<…>';
      depth++;
    } else if (char === '>' && depth > 0 && head[at - 1] !== '-') {
      depth--;
    } else if (depth === 0) {
      out += char;
    }
  }
  return depth === 0 && out !== '' ? withoutReturnType(out.replaceAll('::<…>', '')) : name;
}

/** `void std::sort` → `std::sort`. A blank within brackets, as in `(anonymous namespace)`, ends no type. */
function withoutReturnType(name: string): string {
  let depth = 0;
  let start = 0;
  for (let at = 0; at < name.length; at++) {
    const char = name[at] ?? '';
    if ('([{<'.includes(char)) depth++;
    else if (')]}>'.includes(char)) depth--;
    else if (char === ' ' && depth === 0) start = at + 1;
  }
  const rest = name.slice(start);
  return depth === 0 && rest.includes('::') ? rest : name;
}

/** Index of the bracket that the one at `close` closes; -1 when there is none. */
function openingOf(text: string, close: number): number {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    if (text[at] === ')') depth++;
    else if (text[at] === '(' && --depth === 0) return at;
  }
  return -1;
}
