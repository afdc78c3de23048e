import { isMainThread } from 'node:worker_threads';
import koffi from 'koffi';

import { formatVarargs, SystemError } from './libc.ts';

/** libbpf is not installed, or lacks a function that we need. */
export class LibbpfMissing extends Error {
  override readonly name = 'LibbpfMissing';
}

export type Pointer = bigint;

/** The functions of libbpf that the agent calls. Those that return a pointer throw SystemError instead of returning NULL. */
export interface Libbpf {
  readonly soname: string;
  /** What libbpf said since the last call: its warnings, and at level debug everything. Cleared by reading. */
  takeLog(): string;
  openObject(bytes: Uint8Array): Pointer;
  loadObject(object: Pointer): void;
  closeObject(object: Pointer): void;
  findMap(object: Pointer, name: string): Pointer;
  findProgram(object: Pointer, name: string): Pointer;
  setMaxEntries(map: Pointer, entries: number): void;
  setMapFlags(map: Pointer, flags: number): void;
  /** Whether `loadObject` loads it. */
  setAutoload(program: Pointer, isLoaded: boolean): void;
  mapFd(map: Pointer): number;
  programFd(program: Pointer): number;
  /** The link owns `perfFd` from here on. */
  attachPerfEvent(program: Pointer, perfFd: number): Pointer;
  destroyLink(link: Pointer): void;
  possibleCpus(): number;
  /** Copies the value of a key. For per-CPU maps: one value (rounded up to 8 bytes) for each possible CPU. */
  lookup(mapFd: number, key: Uint8Array, value: Uint8Array): void;
  update(mapFd: number, key: Uint8Array, value: Uint8Array): void;
  /** Of the first `count` keys and values. */
  updateBatch(mapFd: number, keys: Uint32Array, values: Uint8Array, count: number): void;
  /** False when it was not there. */
  remove(mapFd: number, key: Uint8Array): boolean;
  /** An array that can be put into an array of maps, whatever its length. The descriptor is the caller's. */
  createInnerArray(name: string, valueBytes: number, entries: number): number;
}

/** Debian 12, Ubuntu 24.04 and newer have .1; Ubuntu 22.04 and Debian 11 have .0. */
const sonames = ['libbpf.so.1', 'libbpf.so.0'] as const;

/** LIBBPF_STRICT_ALL of 0.x: errors as NULL and errno as in 1.x, the memlock limit raised where the kernel needs it. */
const strictAll = 0xffffffff;
const printDebug = 2;
/** include/uapi/linux/bpf.h */
const mapTypeArray = 2;
const flagInnerMap = 0x1000;
/** struct bpf_map_create_opts of libbpf 0.7 and newer, up to map_ifindex: its size first, map_flags at 28. */
const createOptionsBytes = 48;
const createOptionsFlagsAt = 28;
/** What is kept of libbpf's talk until somebody asks. */
const logLimit = 64 * 1024;

let loaded: Libbpf | undefined;

/** Loads libbpf once per process. Throws LibbpfMissing. */
export function loadLibbpf(): Libbpf {
  loaded ??= bind();
  return loaded;
}

function openLibrary(): { library: ReturnType<typeof koffi.load>; soname: string } {
  for (const soname of sonames) {
    try {
      return { library: koffi.load(soname), soname };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // The next name may exist; that none does is told below.
    }
  }
  throw new LibbpfMissing(`neither ${sonames.join(' nor ')} can be loaded`);
}

function bind(): Libbpf {
  const { library, soname } = openLibrary();
  function bound(name: string, result: string, parameters: string[]): unknown {
    try {
      return library.func(name, result, parameters);
    } catch (error) {
      throw new LibbpfMissing(`${soname} has no ${name}`, { cause: error });
    }
  }
  const openMem = bound('bpf_object__open_mem', 'void *', ['void *', 'size_t', 'void *']) as (
    bytes: Uint8Array,
    size: number,
    options: null,
  ) => Pointer | null;
  const load = bound('bpf_object__load', 'int', ['void *']) as (object: Pointer) => number;
  const close = bound('bpf_object__close', 'void', ['void *']) as (object: Pointer) => void;
  const find = ['void *', 'str'];
  const findMap = bound('bpf_object__find_map_by_name', 'void *', find) as (
    object: Pointer,
    name: string,
  ) => Pointer | null;
  const findProgram = bound('bpf_object__find_program_by_name', 'void *', find) as (
    object: Pointer,
    name: string,
  ) => Pointer | null;
  const setMaxEntries = bound('bpf_map__set_max_entries', 'int', ['void *', 'uint32']) as (
    map: Pointer,
    entries: number,
  ) => number;
  const mapFd = bound('bpf_map__fd', 'int', ['void *']) as (map: Pointer) => number;
  const programFd = bound('bpf_program__fd', 'int', ['void *']) as (program: Pointer) => number;
  const attach = bound('bpf_program__attach_perf_event', 'void *', ['void *', 'int']) as (
    program: Pointer,
    fd: number,
  ) => Pointer | null;
  const destroyLink = bound('bpf_link__destroy', 'int', ['void *']) as (link: Pointer) => number;
  const possibleCpus = bound('libbpf_num_possible_cpus', 'int', []) as () => number;
  const setMapFlags = bound('bpf_map__set_map_flags', 'int', ['void *', 'uint32']) as (
    map: Pointer,
    flags: number,
  ) => number;
  const setAutoload = bound('bpf_program__set_autoload', 'int', ['void *', 'bool']) as (
    program: Pointer,
    isLoaded: boolean,
  ) => number;
  const lookup = bound('bpf_map_lookup_elem', 'int', ['int', 'void *', 'void *']) as (
    fd: number,
    key: Uint8Array,
    value: Uint8Array,
  ) => number;
  const update = bound('bpf_map_update_elem', 'int', ['int', 'void *', 'void *', 'uint64']) as (
    fd: number,
    key: Uint8Array,
    value: Uint8Array,
    flags: number,
  ) => number;
  const updateBatch = bound('bpf_map_update_batch', 'int', ['int', 'void *', 'void *', 'void *', 'void *']) as (
    fd: number,
    keys: Uint32Array,
    values: Uint8Array,
    count: Uint32Array,
    options: null,
  ) => number;
  const remove = bound('bpf_map_delete_elem', 'int', ['int', 'void *']) as (fd: number, key: Uint8Array) => number;
  const createInnerArray = bindCreate();
  /** libbpf before 0.7 has another function for it. */
  function bindCreate(): (name: string, valueBytes: number, entries: number) => number {
    try {
      const create = library.func('bpf_map_create', 'int', ['int', 'str', 'uint32', 'uint32', 'uint32', 'void *']) as (
        ...args: [
          type: number,
          name: string,
          keyBytes: number,
          valueBytes: number,
          entries: number,
          options: Uint8Array,
        ]
      ) => number;
      const options = new Uint8Array(createOptionsBytes);
      new DataView(options.buffer).setUint32(0, createOptionsBytes, true);
      new DataView(options.buffer).setUint32(createOptionsFlagsAt, flagInnerMap, true);
      return (name, valueBytes, entries) => create(mapTypeArray, name, 4, valueBytes, entries, options);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const create = bound('bpf_create_map', 'int', ['int', 'int', 'int', 'int', 'uint32']) as (
        ...args: [type: number, keyBytes: number, valueBytes: number, entries: number, flags: number]
      ) => number;
      return (_name, valueBytes, entries) => create(mapTypeArray, 4, valueBytes, entries, flagInnerMap);
    }
  }
  if (soname === 'libbpf.so.0') {
    (bound('libbpf_set_strict_mode', 'int', ['uint32']) as (mode: number) => number)(strictAll);
  }
  // One place of the whole process takes libbpf's words, and a thread that ends must not be it.
  const takeLog = isMainThread ? captureLog(library) : (): string => '';

  const failed = (call: string, errno: number): SystemError => new SystemError(call, errno);
  const pointer = (call: string, result: Pointer | null): Pointer => {
    if (result === null || result === 0n) throw failed(call, koffi.errno());
    return result;
  };
  const check = (call: string, result: number): number => {
    // 1.x returns -errno and sets errno; what is returned is the surer one.
    if (result < 0) throw failed(call, result === -1 ? koffi.errno() : -result);
    return result;
  };

  return {
    soname,
    takeLog,
    openObject: (bytes) => pointer('bpf_object__open_mem', openMem(bytes, bytes.length, null)),
    loadObject: (object) => void check('bpf_object__load', load(object)),
    closeObject: (object) => close(object),
    findMap: (object, name) => pointer(`bpf_object__find_map_by_name(${name})`, findMap(object, name)),
    findProgram: (object, name) => pointer(`bpf_object__find_program_by_name(${name})`, findProgram(object, name)),
    setMaxEntries: (map, entries) => void check('bpf_map__set_max_entries', setMaxEntries(map, entries)),
    mapFd: (map) => check('bpf_map__fd', mapFd(map)),
    programFd: (program) => check('bpf_program__fd', programFd(program)),
    attachPerfEvent: (program, perfFd) => pointer('bpf_program__attach_perf_event', attach(program, perfFd)),
    destroyLink: (link) => void destroyLink(link),
    possibleCpus: () => check('libbpf_num_possible_cpus', possibleCpus()),
    lookup: (fd, key, value) => void check('bpf_map_lookup_elem', lookup(fd, key, value)),
    setMapFlags: (map, flags) => void check('bpf_map__set_map_flags', setMapFlags(map, flags)),
    setAutoload: (program, isLoaded) => void check('bpf_program__set_autoload', setAutoload(program, isLoaded)),
    update: (fd, key, value) => void check('bpf_map_update_elem', update(fd, key, value, 0)),
    updateBatch(fd, keys, values, count) {
      const done = Uint32Array.of(count);
      check('bpf_map_update_batch', updateBatch(fd, keys, values, done, null));
    },
    remove(fd, key) {
      const result = remove(fd, key);
      if (result >= 0) return true;
      const error = failed('bpf_map_delete_elem', result === -1 ? koffi.errno() : -result);
      if (error.code === 'ENOENT') return false;
      throw error;
    },
    createInnerArray: (name, valueBytes, entries) =>
      check('bpf_map_create', createInnerArray(name, valueBytes, entries)),
  };
}

/** Keeps libbpf from writing on stderr; its words are put into the errors that they explain. */
function captureLog(library: ReturnType<typeof koffi.load>): () => string {
  let log = '';
  const type = koffi.pointer(koffi.proto('int everflame_libbpf_print(int level, void *format, void *list)'));
  const print = koffi.register((level: number, format: bigint, list: bigint) => {
    const text = formatVarargs(format, list);
    if (level < printDebug && log.length < logLimit) log += text;
    return text.length;
  }, type);
  const setPrint = library.func('libbpf_set_print', 'void *', ['void *']) as (callback: bigint) => unknown;
  setPrint(print);
  return () => {
    const taken = log;
    log = '';
    return taken;
  };
}
