// Generated from bpf/abi.h by scripts/gen-abi.mjs. Do not edit.

export const maxKernelFrames = 127;
export const maxUserFrames = 512;
export const framesPerProgram = 6;
export const maxTailCalls = 29;
export const commBytes = 16;
export const maxPythonBytes = 8192;
export const maxLabels = 16;
export const maxLabelKey = 64;
export const maxLabelValue = 128;
export const maxLabelWords = 128;
export const maxContextBytes = 640;
export const maxCopyBytes = 65536;
export const maxTopBytes = 16384;
export const flagKernelThread = 1;
export const flagKernelTruncated = 2;
export const flagKernelFailed = 4;
export const flagCopied = 8;
export const flagCompat = 16;
export const flagRepeated = 32;
export const keptWords = 4096;
export const keptRoom = 4863;
export const endNone = 0;
export const endComplete = 1;
export const endDepth = 2;
export const endNoMapping = 3;
export const endNoTable = 4;
export const endGap = 5;
export const endBadRead = 6;
export const endLostRegister = 7;
export const endStackOrder = 8;
export const endZeroReturn = 9;
export const endCopyShort = 10;
export const endFramePointer = 11;
export const endCopyNoRoom = 13;
export const endStale = 12;
export const counterSampled = 0;
export const counterIdle = 1;
export const counterRingFull = 2;
export const counterNoScratch = 3;
export const counterCopied = 4;
export const counterCopyNoRoom = 5;
export const counterTailCallFailed = 6;
export const counterRepeated = 7;
export const counters = 8;
export const registers = 32;
export const mappingPending = 0;
export const mappingTable = 1;
export const mappingFramePointer = 2;
export const mappingNone = 3;
export const mappingPart = 4;
export const mappingV8 = 5;
export const v8SharedMask = 255;
export const v8Builtins = 256;
export const noteKindShift = 62;
export const notePlaceShift = 44;
export const noteNoPlace = 262143;
export const noteInterpreted = 1;
export const noteCompiled = 2;
export const mappingFlagPython = 128;
export const partMappings = 28;
export const maxParts = 28;
export const pythonByCall = 1;
export const pythonCframes = 2;
export const pythonShims = 4;
export const pythonOwnedByC = 3;
export const maxPythonFrames = 1024;
export const maxPythonThreads = 256;
export const pythonGlue = 4;
export const maxPythons = 1024;
export const goMap = 1;
export const goSlice = 2;
export const contextStatic = 1;
export const contextDynamic = 2;
export const labelsCutNumber = 1;
export const labelsCutKey = 2;
export const labelsCutValue = 4;
export const labelsCutRoom = 8;
export const labelsCutUnread = 16;
export const labelsCutContext = 32;
export const maxTables = 4096;
export const maxProcessParts = 4096;

/** `struct ef_sample`: offset of each field in bytes. */
export const sampleOffset = {
  timeNs: 0,
  cgroupId: 8,
  threadPointer: 16,
  pid: 24,
  tid: 28,
  cpu: 32,
  flags: 36,
  kernelFrames: 40,
  userFrames: 42,
  guessedFrom: 44,
  userEnd: 46,
  keptCount: 47,
  generation: 48,
  copyBytes: 52,
  topBytes: 56,
  keptAt: 60,
  labelWords: 62,
  comm: 64,
} as const;
export const sampleBytes = 80;

/** `struct ef_space`: offset of each field in bytes. */
export const spaceOffset = {
  mm: 0,
  startStack: 8,
  execPages: 16,
} as const;
export const spaceBytes = 24;

/** `struct ef_copy`: offset of each field in bytes. */
export const copyOffset = {
  mm: 0,
  startStack: 8,
  execPages: 16,
  pc: 24,
  registers: 32,
} as const;
export const copyBytes = 288;

/** `struct ef_mapping`: offset of each field in bytes. */
export const mappingOffset = {
  start: 0,
  end: 8,
  bias: 16,
  slot: 24,
  kind: 26,
  tableFlags: 27,
  pageCount: 28,
} as const;
export const mappingBytes = 32;

/** `struct ef_process_key`: offset of each field in bytes. */
export const processKeyOffset = {
  pid: 0,
  part: 4,
} as const;
export const processKeyBytes = 8;

/** `struct ef_process`: offset of each field in bytes. */
export const processOffset = {
  mm: 0,
  startStack: 8,
  execPages: 16,
  generation: 24,
  mappingCount: 28,
  goKind: 30,
  goBelowThread: 32,
  goThread: 34,
  goCurrent: 36,
  goLabels: 38,
  contextKind: 40,
  contextModule: 42,
  contextOffset: 44,
} as const;
export const processBytes = 48;

/** `struct ef_python`: offset of each field in bytes. */
export const pythonOffset = {
  mm: 0,
  runtime: 8,
  loopStart: 16,
  loopEnd: 24,
  glueStart: 32,
  glueEnd: 64,
  flags: 96,
  indexShift: 98,
  interpreters: 100,
  interpreterNext: 102,
  interpreterThreads: 104,
  threadNext: 106,
  threadId: 108,
  threadFrame: 110,
  cframeFrame: 112,
  cframePrevious: 114,
  frameAt: 116,
  frameCode: 118,
  framePrevious: 120,
  framePlace: 122,
  frameMark: 124,
  codeFirst: 126,
} as const;
export const pythonBytes = 128;

/** `struct ef_labels`: offset of each field in bytes. */
export const labelsOffset = {
  count: 0,
  cut: 4,
  contextBytes: 6,
} as const;
export const labelsBytes = 8;
