/** Public surface of this package. */
export {
  asResult,
  BinaryFormatError,
  type BinaryError,
  type BinaryErrorCode,
  type BinaryResult,
} from './binary-error.ts';
export { BufferSource, readExactly, type ByteSource } from './byte-source.ts';
export { Demangler } from './demangler.ts';
export type { DwarfFile, DwarfLines, OpenDwarfOptions, SourceLine } from './dwarf/dwarf-file.ts';
export { dwarfFileOf } from './dwarf/elf-dwarf-file.ts';
export { openDwarf } from './dwarf/open-dwarf.ts';
export {
  fileOffsetOfProcessAddress,
  fileOffsetOfVirtualAddress,
  segmentOfFileOffset,
  virtualAddressOfFileOffset,
} from './elf/elf-addresses.ts';
export {
  crcOfSource,
  type DebugLink,
  dwarfBytesOf,
  readDebugLink,
  readMiniDebugInfo,
  readSupplementaryLink,
  type SupplementaryLink,
} from './elf/debug-links.ts';
export { buildIdOfNotes, readBuildIds, type ElfBuildIds } from './elf/elf-build-id.ts';
export {
  machines,
  readElfFile,
  sectionFlags,
  sectionTypes,
  segmentFlags,
  segmentTypes,
  type ElfFile,
  type ElfSection,
  type ElfSegment,
} from './elf/elf-file.ts';
export { readElfFunctions } from './elf/elf-functions.ts';
export { openSection } from './elf/section-source.ts';
export { type FilePages, FileSource, scatteredFields } from './file-source.ts';
export { FunctionTable, type FoundFunction } from './function-table.ts';
export { type GoBuildInfo, readGoBuildInfo } from './go/go-build-info.ts';
export { type GoFunctions, openGoFunctions } from './go/go-functions.ts';
export { type GoLabels, type GoLabelsFound, readGoLabels } from './go/read-go-labels.ts';
export { JitCodeTable } from './jit/jit-code-table.ts';
export { JitDumpReader } from './jit/jitdump.ts';
export { PerfMapReader } from './jit/perf-map.ts';
export { parseV8Name, type ScriptFunction } from './jit/v8-name.ts';
export { KernelSymbols, readKernelSymbols, type KernelFunction } from './kernel/kernel-symbols.ts';
export {
  readThreadContextSymbol,
  type ThreadContextSymbol,
  type ThreadVariableSlot,
} from './otel/read-thread-context-symbol.ts';
export { type PythonSymbols, readPythonSymbols } from './python/read-python-symbols.ts';
export { unwindChunkElements } from './unwind/generated/unwind-abi.ts';
export { describeUnwindRow } from './unwind/describe-unwind-row.ts';
export { readUnwindTable } from './unwind/read-unwind-table.ts';
export type { UnwindLosses } from './unwind/row-encoder.ts';
export { aarch64, i386, type UnwindArchitecture, x86_64 } from './unwind/unwind-architecture.ts';
export { StackMemory, type UnwindMemory } from './unwind/unwind-memory.ts';
export {
  findUnwindMapping,
  type InterpreterStack,
  type UnwindEnd,
  type UnwindMapping,
  unwindStack,
  type UnwoundStack,
} from './unwind/unwind-stack.ts';
export { UnwindState } from './unwind/unwind-state.ts';
export { unwindByFrameRecord, unwindStep, type UnwindStepOutcome } from './unwind/unwind-step.ts';
export type { FrameNote, V8Code } from './unwind/v8-frame.ts';
export { checkUnwindTable, deserializeUnwindTable, serializeUnwindTable } from './unwind/unwind-table-file.ts';
export { findUnwindRow, UnwindTable, type UnwindRows } from './unwind/unwind-table.ts';
export { openUnwindVector, sparseTables, type UnwindVector, WordMemory } from './unwind/unwind-vector.ts';
export { readV8Symbols, type V8Symbols } from './v8/read-v8-symbols.ts';
