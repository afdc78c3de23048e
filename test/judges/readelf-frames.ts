import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One row of `readelf --debug-dump=frames-interp`, in the words of `describeUnwindRow`. Addresses are ELF virtual addresses. */
export interface ReadelfRow {
  readonly start: number;
  readonly end: number;
  /** Without the text of expressions, which this dump does not tell: `exp`. */
  readonly cfa: string;
  readonly fp: string;
  readonly ra: string;
  readonly isSignalFrame: boolean;
}

/** The rows of all FDEs of living code, by address. Throws when readelf fails. */
export async function readelfRows(path: string, frameRegister: string): Promise<ReadelfRow[]> {
  const rows: ReadelfRow[] = [];
  const commons = new Map<string, { isSignalFrame: boolean; row: string[]; names: string[] }>();
  let names: string[] = [];
  let common: { isSignalFrame: boolean; row: string[]; names: string[] } | undefined;
  let isDescription = false;
  let [start, end] = [0, 0];
  let pending: { start: number; values: string[] }[] = [];
  const flush = (): void => {
    if (!isDescription || common === undefined || end <= start || start === 0) return;
    const inherited = common;
    // An FDE without instructions prints no row: it has that of its CIE.
    const lines = pending.length > 0 ? pending : [{ start, values: inherited.row }];
    const columns = pending.length > 0 ? names : inherited.names;
    for (const [i, { start: from, values }] of lines.entries()) {
      const value = (name: string): string => values[columns.indexOf(name)] ?? 'u';
      const to = lines[i + 1]?.start ?? end;
      const [cfa, fp, ra] = [value('CFA'), value(frameRegister), value('ra')];
      if (to > from) rows.push({ start: from, end: to, cfa, fp, ra, isSignalFrame: inherited.isSignalFrame });
    }
  };
  for await (const line of readelfLines(['--debug-dump=frames-interp', path])) {
    const entry = /^[0-9a-f]{8} [0-9a-f]{8,16} [0-9a-f]{8,16} (.*)$/u.exec(line);
    if (entry !== null) {
      flush();
      pending = [];
      names = [];
      const text = entry[1] ?? '';
      const description = /^FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)/u.exec(text);
      isDescription = description !== null;
      if (description === null) {
        common = { isSignalFrame: /"[^"]*S[^"]*"/u.test(text), row: [], names: [] };
        commons.set(line.slice(0, 8), common);
      } else {
        const [, owner = '', from = '', to = ''] = description;
        common = commons.get(owner);
        start = Number.parseInt(from, 16);
        end = Number.parseInt(to, 16);
      }
    } else if (line.startsWith('   LOC')) {
      names = line.trim().split(/\s+/u).slice(1);
      if (!isDescription && common !== undefined) common.names = names;
    } else if (/^[0-9a-f]{8}(?:[0-9a-f]{8})? (?!ZERO)/u.test(line)) {
      const [at = '', ...values] = splitRow(line);
      if (isDescription) pending.push({ start: Number.parseInt(at, 16), values });
      else if (common !== undefined) common.row = values;
    }
  }
  flush();
  return rows.sort((a, b) => a.start - b.start);
}

/** A register as a value is `r5 (rdi)`. */
function splitRow(line: string): string[] {
  return line
    .replaceAll(/\br\d+ \((\w+)\)/gu, '$1')
    .trim()
    .split(/\s+/u);
}

/** The expressions for the CFA and for the frame pointer in each FDE, by its start, as `describeUnwindRow` writes them. */
export async function readelfExpressions(path: string): Promise<Map<number, Set<string>>> {
  const found = new Map<number, Set<string>>();
  let start = 0;
  for await (const line of readelfLines(['--debug-dump=frames', path])) {
    const description = / FDE cie=[0-9a-f]+ pc=([0-9a-f]+)\.\./u.exec(line);
    if (description !== null) start = Number.parseInt(description[1] ?? '', 16);
    const expression = /DW_CFA_(?:def_cfa_expression|expression: r(?:5|6|29) \((?:ebp|rbp|x29)\)) \((.*)\)$/u.exec(
      line.trim(),
    );
    if (expression === null) continue;
    const known = found.get(start) ?? new Set();
    found.set(start, known.add(renderExpression(expression[1] ?? '', line.includes('def_cfa'))));
  }
  return found;
}

function renderExpression(text: string, isCfa: boolean): string {
  const steps = text
    .split(';')
    .map((each) => each.trim().replace(/DW_OP_/u, ''))
    .join(' ');
  const sign = (value = ''): string => (value.startsWith('-') ? value : `+${value}`);
  const plt =
    /^breg7 \(rsp\): 8 breg16 \(rip\): 0 lit15 and lit(\d+) ge lit3 shl plus$/u.exec(steps) ??
    /^breg4 \(esp\): 4 breg8 \(eip\): 0 lit15 and lit(\d+) ge lit2 shl plus$/u.exec(steps);
  if (plt !== null) return `plt${plt[1]}`;
  const indexed = /^breg7 \(rsp\): (-?\d+) breg\d+ \((\w+)\): 0 lit8 mul plus deref(?: plus_uconst: (\d+))?$/u.exec(
    steps,
  );
  if (indexed !== null) return `*(rsp${sign(indexed[1])}+8*${indexed[2]})+${indexed[3] ?? 0}`;
  const deref = /^breg\d+ \((\w+)\): (-?\d+) deref(?: plus_uconst: (\d+))?$/u.exec(steps);
  if (deref !== null) return `*(${deref[1]}${sign(deref[2])})+${deref[3] ?? 0}`;
  const plain = /^breg\d+ \((\w+)\): (-?\d+)$/u.exec(steps);
  if (plain !== null) return isCfa ? `${plain[1]}${sign(plain[2])}` : `*(${plain[1]}${sign(plain[2])})`;
  return `unknown: ${steps}`;
}

async function* readelfLines(args: readonly string[]): AsyncGenerator<string> {
  const child = spawn('readelf', ['--wide', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  yield* createInterface({ input: child.stdout, crlfDelay: Infinity });
  const status = await ended;
  if (status === null || status > 1 || complaints !== '')
    throw new Error(`readelf ${args.join(' ')}: status ${status}: ${complaints}`);
}
