/**
 * Every loss by its cause, as totals since the agent started. The table is the whole list: a new way to lose data gets a
 * row here, and with it a metric, a line in the shipped batches and a place in the server's status.
 */
export const lossCauses = {
  samples_lost: {
    ring_full: 'the ring of samples between kernel and agent was full',
    copy_failed: 'the kernel could not read the stack of a sample',
    interval_dropped: 'a profile could not be made or queued',
  },
  records_lost: {
    perf_buffer_full: 'MMAP2/COMM/FORK/EXIT records were overwritten before they were read',
    malformed: 'a record was shorter than its type says',
  },
  reads_failed: {
    process_gone: 'the process ended before its identity was read',
    permission: '/proc or a binary could not be read for lack of permission',
    file_gone: 'the binary of a mapping could not be opened any more',
    file_changed: 'the file at the path has another build ID than the mapping',
    malformed_elf: 'a binary could not be parsed',
    debug_info:
      'debugging information (DWARF) of a binary was damaged or could not be read; the names of its symbols remain',
    perf_map: 'a perf map or jitdump could not be read',
    kallsyms: 'kernel symbols could not be read',
    table_worker: 'the thread that makes unwind tables died or hung; the stacks that needed it are cut',
    version: 'the version of a program could not be read, or not in time; its series have none until it is',
    symbol_worker: 'the thread that reads symbols died or hung and was replaced; what it was asked stays unnamed',
  },
  stacks_truncated: {
    kernel_depth: 'a stack in the kernel was deeper than 127 frames',
    depth: 'a stack was deeper than 512 frames, 174 on kernels before 5.17',
    no_mapping: 'a caller was where the process has no code',
    no_table: 'code without unwind table and without frame pointer',
    gap: 'a place that its unwind table does not describe, and no frame pointer',
    bad_read: 'a part of the stack was not in memory',
    lost_register: 'an unwind table counts from a register that is not known there',
    stack_order: 'a caller would have its frame below that of the called',
    copy_short: 'a stack was copied to be unwound later and the copy ended before it did',
    copy_no_room: 'a stack was to be copied when three quarters of the ring were full',
    tail_call: 'a stack was cut where the kernel refused to call the next program',
    stale_mapping: 'a process had just mapped another file where the stack goes through',
    table_late: 'an unwind table was not made until 5 seconds after the interval',
    frame_pointer: 'a 32-bit program of Arm, walked along frame pointers only',
  },
  runtimes_unknown: {
    v8_layout:
      'a program has a V8 that is not known or whose symbols are stripped; its functions are named by perf maps only',
    python_layout:
      'a program has a CPython that is not known (3.8 to 3.13 are) or says something else of itself; its functions are named by perf maps only',
    go_labels:
      'where a Go program keeps the labels of its goroutines is not known: a library, or a Go that is not known (1.18 to 1.26 are)',
  },
  frames_unnamed: {
    budget: 'more functions of a process were new than are read at a time',
    copied:
      'the stack of a process of Python was copied, and what it had been running was not certain any more when it was unwound',
    process_gone: 'a process of a known runtime ended before its functions were read',
    inlined:
      'compiled code was gone or moved before it was read; the stack may lack functions that were compiled into their callers',
  },
  labels_cut: {
    number: 'a goroutine had more than 16 labels',
    key: 'the key of a label of a goroutine was longer than 64 bytes; the sample lacks it',
    value: 'the value of a label of a goroutine was longer than 128 bytes; the sample has its beginning',
    room: 'the labels of a goroutine had more than 1,024 bytes together',
    unread: 'the labels of a goroutine could not be read',
    copied:
      'a sample of a Go program that sets labels came before it was known where they are; whether its goroutine had some is not known',
    context: 'the OpenTelemetry context of a thread had more than 640 bytes; the sample has its ids only',
    spans: 'samples of one interval were of more than 4,096 different spans; the sample has no ids of trace and span',
    thread_gone: 'a thread of a program in Python ended before its name was read; its samples lack it',
    thread_unread: 'the name of a thread of a program in Python could not be read',
    sets: 'there were more than 10,000 different sets of labels of goroutines in one interval; the sample has none',
  },
  contexts_unread: {
    refused: 'what a process publishes of itself by OpenTelemetry has another version than 2, or more than 64 KB',
    malformed: 'what a process publishes of itself by OpenTelemetry is no message of that kind',
    threads: 'a process says that its threads publish their contexts, and where was not found',
  },
  stacks_guessed: {
    frame_pointer: 'something on the way had no unwind table; a frame pointer led on',
  },
  tables_refused: {
    budget: 'an unwind table did not fit into the memory for them (32 MB)',
    mappings: 'a process has more than 756 executable mappings; its stacks are copied and unwound by the agent',
    kernel: 'the kernel did not take what it was to know of a process',
  },
  batches_dropped: {
    queue_full: 'the queue on disk was full and its oldest batch was evicted',
    refused: 'the server refused the batch for good (4xx)',
    queue_damaged: 'a queued batch could not be read back',
    disk: 'a batch could not be written to the queue on disk',
  },
} as const;

export type LossName = keyof typeof lossCauses;
export type LossCause<N extends LossName> = keyof (typeof lossCauses)[N] & string;

/** Counts losses; reads as rows. One per agent. */
export class LossCounters {
  readonly #totals = new Map<string, { name: LossName; cause: string; total: number }>();

  constructor() {
    for (const [name, causes] of Object.entries(lossCauses)) {
      for (const cause of Object.keys(causes)) {
        this.#totals.set(`${name}\0${cause}`, { name: name as LossName, cause, total: 0 });
      }
    }
  }

  add<N extends LossName>(name: N, cause: LossCause<N>, by = 1): void {
    const row = this.#totals.get(`${name}\0${cause}`);
    if (row === undefined) throw new Error(`unlisted loss ${name}/${cause}`);
    row.total += by;
  }

  /** All rows, those at zero included, in the order of the table. */
  rows(): { readonly name: LossName; readonly cause: string; readonly total: number }[] {
    return [...this.#totals.values()].map((row) => ({ ...row }));
  }
}
