import { readPythonDict, readPythonKeys } from './python-dict.ts';
import type { PythonObjectLayout } from './python-layout.ts';
import type { PythonMemory } from './python-text.ts';
import { typeAt } from './python-types.ts';

/** PyTypeObject: tp_basicsize, tp_flags, tp_dictoffset; the same in all versions. */
const basicSizeAt = 32;
const flagsAt = 168;
const dictOffsetAt = 288;
/** Bits of tp_flags. */
const inlineValues = 1 << 2;
const managedDict = 1 << 4;
/** Of an instance of a class that is written in Python: its base may be one of C's. */
const mostInstanceBytes = 4096;
/** Of an instance. */
const mostAttributes = 1024;

/**
 * Address of the value of the attribute that `isName` knows by its name's address; `object` is an instance of a class that is written in Python. Undefined
 * where it has none or cannot be read. The places are those of Objects/dictobject.c and Include/internal/pycore_object.h.
 */
export function readPythonAttribute(
  memory: PythonMemory,
  layout: PythonObjectLayout,
  object: number,
  isName: (name: number) => boolean,
): number | undefined {
  const type = memory.word(object + typeAt);
  const place = type === undefined ? undefined : placeOf(memory, layout, object, type);
  if (type === undefined || place === undefined) return undefined;
  if ('dict' in place) {
    return readPythonDict(memory, layout, place.dict, mostAttributes)?.find(({ key }) => isName(key))?.value;
  }
  // The class has the names of its instances' attributes.
  const names = readPythonKeys(memory, layout, memory.word(type + layout.cachedKeys) ?? 0, mostAttributes);
  const index = names?.findIndex(({ key }) => key !== 0 && isName(key)) ?? -1;
  return index < 0 ? undefined : memory.word(place.values + layout.valuesAt + 8 * index);
}

/** Where an instance has its attributes: a dict, or an array of values. */
function placeOf(
  memory: PythonMemory,
  layout: PythonObjectLayout,
  object: number,
  type: number,
): { readonly dict: number } | { readonly values: number } | undefined {
  const flags = memory.word(type + flagsAt) ?? 0;
  if (layout.attributes === 'dict') {
    const offset = memory.word(type + dictOffsetAt) ?? 0;
    const dict = offset > 0 && offset < mostInstanceBytes ? memory.word(object + offset) : undefined;
    return dict === undefined ? undefined : { dict };
  }
  if ((flags & managedDict) === 0) return undefined;
  const dict = memory.word(object - 24) ?? 0;
  switch (layout.attributes) {
    case 'values':
      return dict === 0 ? { values: memory.word(object - 32) ?? 0 } : { dict };
    case 'tagged':
      return dict % 2 === 1 ? { values: dict + 1 } : { dict };
    case 'inline': {
      if (dict !== 0) return { dict };
      const size = memory.word(type + basicSizeAt) ?? Infinity;
      return (flags & inlineValues) !== 0 && size < mostInstanceBytes ? { values: object + size } : undefined;
    }
  }
}
