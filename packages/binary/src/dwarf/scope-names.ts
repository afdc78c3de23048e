import { asResult } from '../binary-error.ts';
import { tags } from './dwarf-codes.ts';
import type { DwarfUnit } from './dwarf-unit.ts';
import type { DwarfUnits } from './dwarf-units.ts';
import { EntryValues } from './entry-values.ts';
import type { FunctionTree } from './function-tree.ts';

/** Deeper ones exist in template libraries only, which have linkage names. */
const mostScopes = 32;
/** Of the languages whose functions live in namespaces, only C's have none: C89, C, C99, C11, C17, and assembler. */
const flatLanguages: ReadonlySet<number> = new Set([0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x31, 0x8001]);

/** Whether names of this unit's functions need no namespace before them. */
export function isFlat(unit: DwarfUnit): boolean {
  return flatLanguages.has(unit.root.language);
}

/** `a::b::` for a function that is in class b of namespace a, as the unit's tree has it; empty where it is in none. */
export function qualifierIn(tree: FunctionTree, units: DwarfUnits, unit: DwarfUnit, entryOffset: number): string {
  const { qualified, qualifiedScopes, scopes, scopeParents } = tree;
  const position = positionOf(qualified, entryOffset - unit.header.offset);
  if (position < 0) return '';
  const values = new EntryValues();
  let text = '';
  let scope = qualifiedScopes[position] ?? 0;
  for (let count = 0; scope !== 0 && count < mostScopes; count++) {
    const offset = unit.header.offset + (scopes[scope] ?? 0);
    const name = asResult(() => {
      const { bytes, abbreviation } = units.readEntry(unit, offset, values);
      const anonymous = abbreviation.tag === tags.namespace ? '(anonymous namespace)' : '(anonymous class)';
      return unit.text(values.name, bytes) ?? anonymous;
    });
    text = `${name.ok ? name.value : '?'}::${text}`;
    scope = scopeParents[scope] ?? 0;
  }
  return text;
}

function positionOf(sorted: Uint32Array, wanted: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted ? low : -1;
}
