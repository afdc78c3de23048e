import { beforeEach, describe, expect, test } from 'vitest';

import { base, DrawnMemory, smi } from './testing/drawn-memory.ts';
import { V8Codes } from './v8-code.ts';
import { V8Heap } from './v8-heap.ts';
import type { V8Layout } from './v8-layout.ts';

/** Of V8 13.6, what code is read by. */
const layout = {
  instanceType: 12,
  types: { code: 1, stream: 2, sharedFunctionInfo: 3, sharedWrapper: 4 },
  code: {
    header: 32,
    isApart: true,
    start: 40,
    size: 52,
    flags: 48,
    deoptimization: 8,
    positions: 16,
    kindMask: 15,
    baseline: 1,
  },
  deoptimization: { literals: 2, shared: 6, inlining: 7 },
} as unknown as V8Layout;

let memory: DrawnMemory;
let codes: V8Codes;
let next: number;
const maps = new Map<number, number>();

/** An object of a kind with fields from its second word on; answers the tagged pointer. */
function object(type: number, fields: readonly number[]): number {
  let map = maps.get(type);
  if (map === undefined) {
    map = take(24);
    memory.put(map, map + 1);
    memory.view.setUint16(map - base + layout.instanceType, type, true);
    maps.set(type, map);
  }
  const at = take(8 + 8 * fields.length);
  memory.put(at, map + 1);
  for (const [i, field] of fields.entries()) memory.put(at + 8 + 8 * i, field);
  return at + 1;
}

function take(bytes: number): number {
  const at = next;
  next += Math.ceil(bytes / 64) * 64;
  return at;
}

const functionInfo = (): number => object(layout.types.sharedFunctionInfo, [0, 0, 0]);

/** Optimised code with inlined calls of what stands at these indices of its literals; `pc` lies in it. */
function draw(
  own: number,
  calls: readonly number[],
  literals: readonly number[],
  kind = 3,
): { pc: number; literals: number; data: number } {
  const table = object(5, [smi(16 * calls.length), ...calls.flatMap(() => [0, 0])]);
  for (const [i, call] of calls.entries()) {
    // Called at offset 7 of the function itself: nothing external, offset + 1, inlining + 1.
    memory.put(table - 1 + 16 + 16 * i, 8 * 2);
    memory.view.setInt32(table - 1 - base + 16 + 16 * i + 8, call, true);
  }
  const literalArray = object(6, [smi(literals.length), ...literals]);
  const data = object(7, [smi(8), 0, 0, literalArray, 0, 0, 0, own, table]);
  const stream = object(layout.types.stream, [0, 0, 0, 0, 0, 0, 0]) - 1;
  const code = object(layout.types.code, [data, 0, 0, 0, 0, 0, 0]);
  memory.put(stream + 8, code);
  memory.put(code - 1 + layout.code.start, stream + layout.code.header);
  memory.view.setInt32(code - 1 - base + layout.code.flags, kind, true);
  memory.view.setInt32(code - 1 - base + layout.code.size, 24, true);
  return { pc: stream + layout.code.header + 9, literals: literalArray, data };
}

beforeEach(() => {
  memory = new DrawnMemory();
  codes = new V8Codes(new V8Heap(layout, memory));
  next = base + 4096;
  maps.clear();
});

describe('whose inlined calls are', () => {
  test('a literal, a wrapped one, and the code itself where it stands for -1', () => {
    const [own, first, second] = [functionInfo(), functionInfo(), functionInfo()];
    const wrapped = object(layout.types.sharedWrapper, [second]);
    const { pc } = draw(own, [0, -1, 1], [first, wrapped]);
    const code = codes.find(pc);
    expect(code?.shared).toBe(own);
    expect(code?.inlined.map(({ shared }) => shared)).toEqual([first, own, second]);
    expect(code?.inlined[0]?.position).toEqual({ offset: 7, inlining: -1 });
  });

  test('an index that is none, and a literal that is no function, are nobody', () => {
    const { pc } = draw(functionInfo(), [-2, 1, 2, 0], [smi(1), object(9, [])]);
    expect(codes.find(pc)?.inlined.map(({ shared }) => shared)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('functions that the collector has moved are followed, where memory may have changed', () => {
    const [own, called] = [functionInfo(), functionInfo()];
    const drawn = draw(own, [0, -1], [called]);
    codes.find(drawn.pc);
    const [ownMoved, calledMoved] = [functionInfo(), functionInfo()];
    memory.put(drawn.literals - 1 + 16, calledMoved);
    memory.put(drawn.data - 1 + 16 + 8 * layout.deoptimization.shared, ownMoved);
    memory.generation++;
    const code = codes.find(drawn.pc);
    expect([code?.shared, ...(code?.inlined ?? []).map(({ shared }) => shared)]).toEqual([
      ownMoved,
      calledMoved,
      ownMoved,
    ]);
  });
});

describe('code is what it was', () => {
  test('while it stands there and names its functions by the same array, wherever these have moved', () => {
    const drawn = draw(functionInfo(), [0], [functionInfo()]);
    const code = codes.find(drawn.pc);
    if (code === undefined) throw new Error('no code');
    memory.put(drawn.literals - 1 + 16, functionInfo());
    memory.generation++;
    expect(codes.isStill(code, code.functions)).toBe(true);
    // Other code that lies in its place names others.
    const other = draw(functionInfo(), [], []);
    memory.put(code.object - 1 + layout.code.deoptimization, other.data);
    expect(codes.isStill(code, code.functions)).toBe(false);
    expect(codes.isStill(code, undefined)).toBe(false);
  });

  test('and is not when another object begins there', () => {
    const drawn = draw(functionInfo(), [], []);
    const code = codes.find(drawn.pc);
    if (code === undefined) throw new Error('no code');
    memory.put(code.stream + 8, code.object + 64);
    expect(codes.isStill(code, code.functions)).toBe(false);
  });
});

test('code that cannot be looked at for want of time is known afterwards', () => {
  const drawn = draw(functionInfo(), [], []);
  const code = codes.find(drawn.pc);
  const page = drawn.pc - (drawn.pc % 4096);
  memory.hidden.add(page);
  memory.isExhausted = true;
  expect(codes.find(drawn.pc)).toBeUndefined();
  memory.hidden.clear();
  memory.isExhausted = false;
  expect(codes.find(drawn.pc)).toBe(code);
});

describe('what was looked for in vain is not looked for again', () => {
  /** What a second look asks of memory. */
  function askedAgain(pc: number): number {
    memory.asked.length = 0;
    codes.find(pc);
    return memory.asked.length;
  }

  test("in code that is no function's, as a regular expression's, until other code lies there", () => {
    const own = functionInfo();
    const { pc } = draw(own, [], [], 0);
    expect(codes.find(pc)).toBeUndefined();
    expect(askedAgain(pc)).toBe(0);
    // Another object with a function's code takes its place.
    const at = pc - 9 - layout.code.header;
    const other = draw(own, [], []);
    const code = memory.word(other.pc - 9 - layout.code.header + 8) ?? 0;
    memory.put(at + 8, code);
    memory.put(code - 1 + layout.code.start, at + layout.code.header);
    expect(codes.find(pc)?.shared).toBe(own);
  });

  test('in a page without code in front, for some time', () => {
    const bare = base + 64;
    memory.put(bare, 3);
    expect(codes.find(bare)).toBeUndefined();
    expect(askedAgain(bare)).toBe(0);
    memory.generation += 1000;
    expect(askedAgain(bare)).toBeGreaterThan(0);
  });

  test('nor behind a page of zeros', () => {
    const { pc } = draw(functionInfo(), [], []);
    const far = pc + 3 * 4096;
    memory.put(far, 3);
    expect(askedAgain(far)).toBe(2);
  });

  test('in what a word points to that stands there often', () => {
    const own = functionInfo();
    const { pc } = draw(own, [], []);
    for (let i = 0; i < 5; i++) object(9, []);
    const start = pc - 9;
    const code = memory.word(start - layout.code.header + 8) ?? 0;
    memory.view.setInt32(code - 1 - base + layout.code.size, next - start + 64, true);
    expect(codes.find(next + 8)?.shared).toBe(own);
    const map = (maps.get(9) ?? 0) + layout.instanceType;
    expect(memory.asked.filter((address) => address === map)).toHaveLength(1);
  });

  test('but is when memory was not read for want of time', () => {
    const bare = base + 64;
    memory.put(bare, 3);
    memory.isExhausted = true;
    expect(codes.find(bare)).toBeUndefined();
    expect(askedAgain(bare)).toBeGreaterThan(0);
  });
});
