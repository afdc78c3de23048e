import { type ElfFile, machines } from '../elf/elf-file.ts';
import { readText } from './read-text.ts';
import { unwindKindFp, unwindKindSp, unwindRuleAtCfa, unwindRuleSame } from './generated/unwind-abi.ts';

/** Of code that nothing describes: V8's interpreter and builtins are larger, and are walked in another way. */
const mostBytes = 512;
/** push %rbp; mov %rsp,%rbp */
const prologue = Buffer.from('554889e5', 'hex');
/** pop %rbp; ret, and leave; ret */
const epilogues = ['5dc3', 'c9c3'].map((hex) => Buffer.from(hex, 'hex'));

/** Writes a row: fields as in `SpecialCode`. */
export type AddRow = (address: number, op: number, fp: number, cfaOff: number, fpOff: number) => void;

/**
 * Rows of the one function in a small hole between descriptions that begins with the standard prologue and ends with its epilogue: functions in hand-written assembly that
 * keep a frame pointer and that nobody has described, as V8's PushAllRegistersAndIterateStack, below which all of its garbage collection runs. Answers from where
 * on nothing is known again; `start` where there is none. ELF virtual addresses.
 */
export function addStandardFunction(elf: ElfFile, start: number, end: number, add: AddRow): number {
  if (elf.machine !== machines.x86_64 || end - start > mostBytes) return start;
  const code = Buffer.from(readText(elf, start, end - start));
  const [from, ...more] = placesOf(prologue, code);
  const [last, ...others] = epilogues.flatMap((epilogue) => placesOf(epilogue, code));
  // Where there are several beginnings or ends, it is not sure which belong together.
  if (from === undefined || last === undefined || more.length + others.length > 0) return start;
  if (last < from + prologue.length) return start;
  const address = start + from;
  add(address, unwindKindSp, unwindRuleSame, 8, 0);
  add(address + 1, unwindKindSp, unwindRuleAtCfa, 16, -16);
  add(address + prologue.length, unwindKindFp, unwindRuleAtCfa, 16, -16);
  // Before the ret.
  add(start + last + 1, unwindKindSp, unwindRuleSame, 8, 0);
  return start + last + 2;
}

function placesOf(bytes: Buffer, code: Buffer): number[] {
  const places: number[] = [];
  for (let at = code.indexOf(bytes); at >= 0; at = code.indexOf(bytes, at + 1)) places.push(at);
  return places;
}
