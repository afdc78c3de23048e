/**
 * The last part of a function's name, in the words of its source: `visit` of `shapes::Inner::visit(unsigned long)`,
 * `<chain::V as chain::T>::visit`, `main.(*walker).visit`, and of what a linker knows, `_ZN6shapes5Inner5visitEm`. Lambdas and
 * closures have none, though the name of the function around them is in theirs.
 */
export function baseName(name: string, vocabulary: ReadonlySet<string>): string {
  if (vocabulary.has(name)) return name;
  if (/^_ZZ|\{lambda|\{closure|\{\{closure/u.test(name)) return '';
  if (/^_[ZR]/u.test(name)) {
    // The last identifier with its length before it that the program planted.
    const parts = [...name.matchAll(/(?=(\d+)([A-Za-z_]\w*))/gu)].map(([, size = '', rest = '']) =>
      rest.slice(0, Number(size)),
    );
    return parts.findLast((part) => vocabulary.has(part)) ?? '';
  }
  let text = name.replaceAll(/\(\*\w+\)\./gu, '');
  for (let before = ''; before !== text;) {
    before = text;
    text = text.replaceAll(/<[^<>]*>/gu, '');
  }
  const [head = ''] = text.split('(');
  return /\w+$/u.exec(head.replace(/::h[0-9a-f]{16}$/u, ''))?.[0] ?? '';
}
