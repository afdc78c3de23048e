interface Unit {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly factor: number;
}

interface UnitKind {
  readonly units: readonly Unit[];
  /** What a value is said in when the wanted unit is of another kind. */
  readonly fallback: { readonly name: string; readonly factor: number };
}

const unit = (name: string, factor: number, ...aliases: string[]): Unit => ({ name, aliases, factor });

/** The units that google/pprof knows (internal/measurement, UnitTypes). */
const kinds: readonly UnitKind[] = [
  {
    units: [
      unit('B', 1, 'b', 'byte'),
      unit('kB', 2 ** 10, 'kb', 'kbyte', 'kilobyte'),
      unit('MB', 2 ** 20, 'mb', 'mbyte', 'megabyte'),
      unit('GB', 2 ** 30, 'gb', 'gbyte', 'gigabyte'),
      unit('TB', 2 ** 40, 'tb', 'tbyte', 'terabyte'),
      unit('PB', 2 ** 50, 'pb', 'pbyte', 'petabyte'),
    ],
    fallback: { name: 'B', factor: 1 },
  },
  {
    units: [
      unit('ns', 1, 'ns', 'nanosecond'),
      unit('us', 1e3, 'μs', 'us', 'microsecond'),
      unit('ms', 1e6, 'ms', 'millisecond'),
      unit('s', 1e9, 's', 'sec', 'second'),
      unit('hrs', 3.6e12, 'hour', 'hr'),
    ],
    fallback: { name: 's', factor: 1e9 },
  },
  {
    units: [
      unit('n*GCU', 1e-9, 'nanogcu'),
      unit('u*GCU', 1e-6, 'microgcu'),
      unit('m*GCU', 1e-3, 'milligcu'),
      unit('GCU', 1, 'gcu'),
      unit('k*GCU', 1e3, 'kilogcu'),
      unit('M*GCU', 1e6, 'megagcu'),
      unit('G*GCU', 1e9, 'gigagcu'),
      unit('T*GCU', 1e12, 'teragcu'),
      unit('P*GCU', 1e15, 'petagcu'),
    ],
    fallback: { name: 'GCU', factor: 1 },
  },
];
/** Said without a unit. */
const silent = new Set(['count', 'sample', 'unit', 'minimum', 'auto']);
const utf8 = new TextEncoder();

export interface Scaled {
  readonly value: number;
  readonly unit: string;
}

/**
 * A value of one unit in another one, as google/pprof's measurement.Scale says it: in the default unit of its kind where the
 * wanted one is of another kind, unchanged where its own is of no kind. Doubles, as there. (`minimum` and `auto`, which
 * choose a unit by the value, are not for comparing values and not here.)
 */
export function scaleUnit(value: bigint, from: string, to: string): Scaled {
  for (const kind of kinds) {
    const own = findUnit(kind, from);
    if (own === undefined) continue;
    const wanted = findUnit(kind, to) ?? kind.fallback;
    return { value: (Number(value) * own.factor) / wanted.factor, unit: wanted.name };
  }
  return { value: Number(value), unit: silent.has(to) ? '' : to };
}

function findUnit({ units }: UnitKind, text: string): Unit | undefined {
  const lower = text.toLowerCase();
  // The plural's s goes from what is longer than two bytes, as there.
  const alias = lower.endsWith('s') && utf8.encode(lower).length > 2 ? lower.slice(0, -1) : lower;
  return units.find(({ aliases }) => aliases.includes(alias));
}
