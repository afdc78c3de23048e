/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the kernel part and the agent say to each other. The one place for these layouts: scripts/gen-abi.mjs makes
 * packages/agent/src/kernel/generated/abi.ts from it. It understands `#define EF_NAME number` and structs of fixed-width
 * fields without hidden padding, so keep to those.
 */
#ifndef EVERFLAME_ABI_H
#define EVERFLAME_ABI_H

/* 127 is the default of kernel.perf_event_max_stack, above which the kernel's walk of its own stack does not go. */
#define EF_MAX_KERNEL_FRAMES 127
#define EF_MAX_USER_FRAMES 512
/* Frames that one program walks before it calls the next, where there is no bpf_loop, and how often it does: 29 of the 33 calls that kernels allow. */
#define EF_FRAMES_PER_PROGRAM 6
#define EF_MAX_TAIL_CALLS 29
#define EF_COMM_BYTES 16
/* Of Python's frames behind a copied stack: 1,000, or 340 up to 3.10. */
#define EF_MAX_PYTHON_BYTES 8192
/* Of the labels of a goroutine, see ef_labels. What is longer or more is cut, and counted: 16 are twice what tracers set; a value has room for a long route. */
#define EF_MAX_LABELS 16
#define EF_MAX_LABEL_KEY 64
#define EF_MAX_LABEL_VALUE 128
#define EF_MAX_LABEL_WORDS 128
/* Of a thread's OpenTelemetry context: what its specification recommends as the most; a longer one lacks its attributes. */
#define EF_MAX_CONTEXT_BYTES 640
/* Of a stack that is copied. */
#define EF_MAX_COPY_BYTES 65536
/* Of the top of the main stack: what a handler on an alternate stack has interrupted is mostly there. */
#define EF_MAX_TOP_BYTES 16384

/* Bits of ef_sample.flags. */
#define EF_FLAG_KERNEL_THREAD 1
#define EF_FLAG_KERNEL_TRUNCATED 2
/* The kernel's walk of its own stack failed with an error. */
#define EF_FLAG_KERNEL_FAILED 4
/* In place of user frames there is a struct ef_copy: the kernel did not know how to unwind this. */
#define EF_FLAG_COPIED 8
/* A 32-bit program: i386, with words of 4 bytes; or Arm, whose frames come from the kernel's walk along frame pointers. */
#define EF_FLAG_COMPAT 16
/* No frames follow: they are those that this CPU has kept at kept_at, from an earlier record of it. */
#define EF_FLAG_REPEATED 32

/*
 * Stacks that a CPU has sent lately, for both sides: words of a ring of frames, and room behind it for the stack that begins at its last word.
 * 4,096 are 120 stacks of 34 frames, a second at 99 Hz.
 */
#define EF_KEPT_WORDS 4096
#define EF_KEPT_ROOM 4863 /* EF_KEPT_WORDS + EF_MAX_KERNEL_FRAMES + EF_MAX_USER_FRAMES + EF_MAX_LABEL_WORDS */

/* ef_sample.user_end: why the user stack ends where it does. */
#define EF_END_NONE 0 /* no user stack: a kernel thread, or a program that is just being set up or torn down */
#define EF_END_COMPLETE 1 /* its root */
#define EF_END_DEPTH 2
#define EF_END_NO_MAPPING 3 /* a return address in no executable mapping */
#define EF_END_NO_TABLE 4 /* nothing is known of how this code keeps its stack, and there is no frame pointer */
#define EF_END_GAP 5 /* no row for this code, and no frame pointer */
#define EF_END_BAD_READ 6
#define EF_END_LOST_REGISTER 7 /* the row counts from a register that is not known in this frame */
#define EF_END_STACK_ORDER 8 /* the caller's stack pointer would not be above */
#define EF_END_ZERO_RETURN 9 /* the root of a stack that a program made itself: a coroutine's */
#define EF_END_COPY_SHORT 10 /* the copy of the stack ends there */
#define EF_END_FRAME_POINTER 11 /* of the kernel's own walk: where a chain of frame pointers ends is not known */
#define EF_END_COPY_NO_ROOM 13 /* the ring was too full for a copy of the stack */
#define EF_END_STALE 12 /* the agent's word: the process had mapped something else there by then */

/*
 * Indices into the per-CPU array `counters`: one for each way out of the program. Those of copies are for who looks with bpftool: each sample says it, too.
 */
#define EF_COUNTER_SAMPLED 0
#define EF_COUNTER_IDLE 1
#define EF_COUNTER_RING_FULL 2
#define EF_COUNTER_NO_SCRATCH 3
#define EF_COUNTER_COPIED 4
#define EF_COUNTER_COPY_NO_ROOM 5
#define EF_COUNTER_TAIL_CALL_FAILED 6
#define EF_COUNTER_REPEATED 7
#define EF_COUNTERS 8

/*
 * One record of the ring `samples`, followed by kernel_frames + user_frames addresses (u64), kernel first, leaf first, and label_words of labels, unless
 * they are repeated (see kept.h). Kernel addresses but the first are return addresses; user addresses lie in the instruction: of a caller, one below its return address.
 */
struct ef_sample {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 cgroup_id; /* of the default (v2) hierarchy */
	__u64 thread_pointer; /* what pthread_self answers there; 0: not known */
	__u32 pid; /* process (tgid), root PID namespace */
	__u32 tid;
	__u32 cpu;
	__u32 flags;
	__u16 kernel_frames;
	__u16 user_frames;
	__u16 guessed_from; /* user frames from this one on were found through a frame pointer where none is promised */
	__u8 user_end;
	__u8 kept_count; /* stacks that the CPU had kept before, modulo 256 */
	__u32 generation; /* of the ef_process by which the user frames were found, or the labels behind a copy; 0 without */
	__u32 copy_bytes; /* of the stack from SP on, after the ef_copy */
	__u32 top_bytes; /* after those: of the top of the main thread's stack, when it runs on another */
	__u16 kept_at; /* with EF_FLAG_COPIED: bytes of Python's segments behind the copy; else with frames: word at which the CPU keeps them */
	__u16 label_words; /* of an ef_labels behind all else; 0 without labels */
	__u8 comm[EF_COMM_BYTES];
};

/* DWARF's numbers: 16 on x86-64, 32 (31 is SP) on AArch64. */
#define EF_REGISTERS 32

/* What a program's address space is known by. All three change when another program is executed. */
struct ef_space {
	__u64 mm; /* address of its mm_struct */
	__u64 start_stack;
	__u64 exec_pages; /* executable, not writable: another number means other mappings */
};

/* After the kernel frames of a record with EF_FLAG_COPIED; after it come copy_bytes of the stack from SP on. */
struct ef_copy {
	__u64 mm;
	__u64 start_stack;
	__u64 exec_pages;
	__u64 pc;
	__u64 registers[EF_REGISTERS];
};

/* Kinds of ef_mapping. */
#define EF_MAPPING_PENDING 0 /* its table is not in the kernel: stacks through it are copied */
#define EF_MAPPING_TABLE 1
#define EF_MAPPING_FRAME_POINTER 2 /* code of a just-in-time compiler */
#define EF_MAPPING_NONE 3 /* there is no table to be had: frame pointers are tried */
#define EF_MAPPING_PART 4 /* not a mapping: the part `slot` of the process has what lies in this range */
/* Code of V8, compiled at run time or its builtins, which keeps frame pointers; page_count is an EF_V8_… and where a JSFunction has its SharedFunctionInfo. */
#define EF_MAPPING_V8 5

/* ef_mapping.page_count of a mapping of V8's: the offset (bytes), and whether it holds the builtins, of which the interpreter is one. */
#define EF_V8_SHARED_MASK 255
#define EF_V8_BUILTINS 256

/*
 * A user frame may be followed by a note: a word that is no address, since its highest two bits are neither 00 (user) nor 11 (kernel). It says which
 * function's frame it is where the address alone does not. Notes count as user frames; CPython's loop, which may run many functions at once, has as many,
 * innermost first. Bits 0 to 43: the address of the function's object, of
 * V8 its SharedFunctionInfo, of CPython its code object, without its lowest 3 bits; 44 to 61: where in the function, EF_NOTE_NO_PLACE if not known.
 */
#define EF_NOTE_KIND_SHIFT 62
#define EF_NOTE_PLACE_SHIFT 44
#define EF_NOTE_NO_PLACE 262143
#define EF_NOTE_INTERPRETED 1 /* the place is an offset in bytecode; CPython's in units of 2 bytes */
#define EF_NOTE_COMPILED 2

/* Bits of ef_mapping.table_flags beyond those of the table: CPython's own text, in which its loop is. */
#define EF_MAPPING_FLAG_PYTHON 128

struct ef_mapping {
	__u64 start;
	__u64 end; /* exclusive */
	__u64 bias; /* address - bias = bytes from the base of the table */
	__u16 slot; /* in `tables` */
	__u8 kind;
	__u8 table_flags; /* EF_UNWIND_FLAG_…, EF_MAPPING_FLAG_… */
	__u32 page_count; /* of the table */
};

/* 28 make a value of 928 bytes, which with the hash's own fits a slab of 1,024. Most processes have 5 to 20. */
#define EF_PART_MAPPINGS 28
/* Part 0 lists the mappings of a process, sorted, or if they are more the parts 1 to 28 that list them. */
#define EF_MAX_PARTS 28

struct ef_process_key {
	__u32 pid;
	__u32 part;
};

struct ef_process {
	__u64 mm;
	__u64 start_stack;
	__u64 exec_pages;
	__u32 generation;
	__u16 mapping_count;
	/* Where Go has what, as offsets in bytes: from the thread pointer down to the thread's g; in a g its m; in an m the running g; in a g its labels. */
	__u16 go_kind;
	__u16 go_below_thread;
	__u16 go_thread;
	__u16 go_current;
	__u16 go_labels;
	/* Where each thread has the pointer to its OpenTelemetry context: EF_CONTEXT_…; its module's number; bytes, signed, from the thread pointer or in the module's block. */
	__u16 context_kind;
	__u16 context_module;
	__u32 context_offset;
	/* followed by EF_PART_MAPPINGS of struct ef_mapping */
};

/* Bits of ef_python.flags. */
#define EF_PYTHON_BY_CALL 1 /* to 3.10: each call of the loop runs one function; its frame has an index in the bytecode, frame_place (4 bytes) >> index_shift */
#define EF_PYTHON_CFRAMES 2 /* 3.11, 3.12: each call of the loop has a _PyCFrame on the C stack; thread_frame is the innermost one */
#define EF_PYTHON_SHIMS 4 /* from 3.12 on: a segment ends with a frame on the C stack that is no function's; in 3.11 with one whose frame_mark is 1 */
/* frame_mark of such a frame (FRAME_OWNED_BY_CSTACK, from 3.14 on _BY_INTERPRETER) and of what may follow it. */
#define EF_PYTHON_OWNED_BY_C 3
/* Of all frames of a sample: Python's own limit is 1,000. Of thread states that are looked through. */
#define EF_MAX_PYTHON_FRAMES 1024
#define EF_MAX_PYTHON_THREADS 256
/* Functions through which the loop calls itself, for EF_PYTHON_BY_CALL: without their frames twice as many of Python's have room. */
#define EF_PYTHON_GLUE 4
/* Processes that run Python and are known: 200 KB. */
#define EF_MAX_PYTHONS 1024

/*
 * Behind a copy of a process that runs Python and is known, Python's frames, since they will be others when the stack is unwound: for each segment its mark (0 up to
 * 3.10), the number of its notes, and these.
 *
 * Where a process's CPython has what: addresses in the process; then offsets in bytes, `interpreters` from `runtime` on, the others in the struct of their name. */
struct ef_python {
	__u64 mm; /* of the address space in which all this holds */
	__u64 runtime; /* _PyRuntime */
	/* _PyEval_EvalFrameDefault and its glue, end exclusive; read for EF_PYTHON_BY_CALL only. */
	__u64 loop_start;
	__u64 loop_end;
	__u64 glue_start[EF_PYTHON_GLUE];
	__u64 glue_end[EF_PYTHON_GLUE];
	__u16 flags;
	__u16 index_shift;
	__u16 interpreters; /* the first PyInterpreterState */
	__u16 interpreter_next;
	__u16 interpreter_threads; /* its first PyThreadState */
	__u16 thread_next;
	__u16 thread_id; /* what pthread_self answers there */
	__u16 thread_frame;
	__u16 cframe_frame;
	__u16 cframe_previous;
	__u16 frame_at; /* of the part of a frame that is read, from which the next four count */
	__u16 frame_code;
	__u16 frame_previous;
	__u16 frame_place; /* an address in the bytecode; for EF_PYTHON_BY_CALL see there, counted from the frame */
	__u16 frame_mark; /* a byte */
	__u16 code_first; /* in a code object, its bytecode */
};

/* ef_process.go_kind: how a Go program keeps the labels of a goroutine; 0 where it has none, or is none. */
#define EF_GO_MAP 1 /* to 1.23: a pointer to a map[string]string */
#define EF_GO_SLICE 2 /* a pointer to a slice of pairs of strings */

/* ef_process.context_kind; 0 where it is not known to have one. */
#define EF_CONTEXT_STATIC 1
#define EF_CONTEXT_DYNAMIC 2 /* in a block of the module, which the thread's table of blocks has the address of (glibc) */

/* Bits of ef_labels.cut: why labels, or parts of them, are not there. */
#define EF_LABELS_CUT_NUMBER 1 /* more than EF_MAX_LABELS, or a map in the middle of growing */
#define EF_LABELS_CUT_KEY 2 /* a key longer than EF_MAX_LABEL_KEY: the label is left out */
#define EF_LABELS_CUT_VALUE 4 /* a value longer than EF_MAX_LABEL_VALUE: its beginning is there */
#define EF_LABELS_CUT_ROOM 8 /* all of them longer than EF_MAX_LABEL_WORDS */
#define EF_LABELS_CUT_UNREAD 16 /* the memory could not be read */
#define EF_LABELS_CUT_CONTEXT 32 /* the thread's OpenTelemetry context is longer than EF_MAX_CONTEXT_BYTES: its attributes are left out */

/*
 * Followed by the thread's OpenTelemetry context, as it has published it (trace id 16, span id 8, valid 1, flags 1, bytes of attributes 2, attributes), filled
 * with zeros to a multiple of 8; and by the labels: lengths in bytes of key (u32) and value (u32), then both texts, each filled in the same way.
 */
struct ef_labels {
	__u32 count; /* of labels */
	__u16 cut;
	__u16 context_bytes; /* 0: none */
};

/* Most tables that the kernel can hold: 32 KB for the array of them. */
#define EF_MAX_TABLES 4096
#define EF_MAX_PROCESS_PARTS 4096

#endif
