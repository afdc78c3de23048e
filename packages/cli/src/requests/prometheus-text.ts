import { compileMatchers, type Selector } from '@everflame/profile';

/** `# HELP`, `# TYPE` and blank lines are none. Escapes in label values are `\\`, `\"` and `\n`. */
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]+(\S+)(?:[ \t]+\S+)?[ \t]*$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"/g;

/**
 * Sum of the values of all series of a page in Prometheus' text format that a selector names; null when there is none. `profileType` of the selector is the name of the
 * metric. Lines of another shape are not looked at. Source: the text exposition format 0.0.4.
 */
export function sumOfMetric(page: string, { profileType: name, matchers }: Selector): number | null {
  const isWanted = compileMatchers(matchers);
  let sum: number | null = null;
  for (const line of page.split('\n')) {
    if (name === undefined || !line.startsWith(name)) continue;
    const [, found, labels = '', value = ''] = sampleLine.exec(line) ?? [];
    const number = Number(value);
    if (found !== name || !Number.isFinite(number) || !isWanted(labelsOf(labels))) continue;
    sum = (sum ?? 0) + number;
  }
  return sum;
}

function labelsOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(label)].map(([, key = '', value = '']) => [key, unescaped(value)] as const);
  return Object.fromEntries(pairs);
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
