/**
 * A demangled C++ name without parameters, qualifiers and return type, as `c++filt -p`, perf and debuggers' backtraces have it:
 * `int a::b<int>::c(int) const [clone .cold]` is `a::b<int>::c [clone .cold]`. Other names are returned as they are. One pass back over the text.
 */
export function functionNameOf(readable: string): string {
  const [, signature = readable, clone = ''] = /^(.*?)((?: \[clone [^\]]*\])+)$/.exec(readable) ?? [];
  const [, call = ''] = /^(.*\))(?: const| volatile| &{1,2})*$/.exec(signature) ?? [];
  const open = openingOf(call);
  if (open <= 0) return readable;
  const name = call.slice(0, open);
  // `operator()` alone, and functions that return functions: `void (*f(int))(int)`.
  if (name.endsWith('operator') || / \([*&]/.test(name)) return readable;
  return `${withoutReturnType(name)}${clone}`;
}

/** Where the parenthesis opens that the last character closes; -1 where none does. */
function openingOf(text: string): number {
  let depth = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    const character = text[i];
    if (character === ')') depth++;
    else if (character === '(' && --depth === 0) return i;
  }
  return -1;
}

/** Only templates have one; it ends at the last space outside of all brackets. */
function withoutReturnType(name: string): string {
  // `operator unsigned int`, `operator<`, and what is said of a function: `non-virtual thunk to`.
  if (/\boperator\b/.test(name) || / (to|for) /.test(name)) return name;
  let depth = 0;
  for (let i = name.length - 1; i >= 0; i--) {
    const character = name[i] ?? '';
    // An arrow is no bracket.
    if (character === '>' && name[i - 1] === '-') i--;
    else if (')>}]'.includes(character)) depth++;
    else if ('(<{['.includes(character)) depth--;
    else if (character === ' ' && depth === 0) return name.slice(i + 1);
  }
  return name;
}
