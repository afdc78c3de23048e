/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The maps, each with its cost. */
#ifndef EVERFLAME_MAPS_H
#define EVERFLAME_MAPS_H

/*
 * What follows an ef_sample: kernel frames, then user frames, or an ef_copy with its stack and room for one page of it more, so that the
 * last read needs no bound of its own. The room in front is for the kernel frames, that behind for Python's and for labels.
 */
#define EF_PAYLOAD_BYTES \
	(1024 + 512 + EF_MAX_COPY_BYTES + EF_MAX_TOP_BYTES + 4096 + EF_MAX_PYTHON_BYTES + 8 * EF_MAX_LABEL_WORDS)

/* Frames of kernel and user lie below this byte of the payload. */
#define FRAMES_MASK 8184

/* Below a CFA: most functions save the frame pointer there, so that one read brings it with the return address. */
#define WINDOW_WORDS 8
#define WINDOW_BYTES (8 * WINDOW_WORDS)

/* A user stack that is being walked. */
struct walk {
	__u64 pc;
	__u64 registers[EF_REGISTERS]; /* by DWARF number */
	__u64 window[WINDOW_WORDS];
	__u64 row;
	__u64 extension; /* of the row, if it has one */
	/* The mapping of the last frame, since most neighbours share it. */
	__u64 start;
	__u64 end;
	__u64 bias;
	__u32 page_count;
	__u16 slot;
	__u8 kind;
	__u8 table_flags;
	__u32 known; /* KNOWN_…: which registers are this frame's */
	__u32 is_return_address; /* of pc: the caller's instruction is the one before */
	__u32 pid;
	__u32 frames;
	__u32 frames_at; /* byte in the payload */
	__u32 guessed_from;
	__u32 tail_calls;
	__u32 is_32_bit; /* i386 */
	__u32 gap; /* the end that was met before a guess: told when the guess turns out wrong */
};

/* Of a frame of CPython's, in words: its head; the room is a power of two, so that a mask keeps offsets inside. */
#define PYTHON_FRAME_WORDS 10
#define PYTHON_FRAME_BYTES (8 * PYTHON_FRAME_WORDS)
#define PYTHON_FRAME_ROOM 16

/* The Python stack of a thread, see python.h. */
struct python {
	struct ef_python layout;
	__u64 interpreter; /* not looked at yet; 0: none */
	__u64 thread; /* the state that is looked at next; 0: the interpreter's first */
	__u64 frame; /* the next one; 0: none */
	__u64 cframe;
	__u64 mark; /* on the C stack, of the segment that waits */
	__u64 words[PYTHON_FRAME_ROOM];
	__u32 state; /* PYTHON_… */
	__u32 count; /* of notes */
	__u32 frames; /* read so far, of all segments */
	__u32 looks; /* at threads and interpreters */
	__u32 unused;
	__u32 copied; /* bytes, of segments that go with a copy of the stack */
	__u64 notes[EF_MAX_USER_FRAMES];
};

/* A bucket of a map[string]string to Go 1.23: 8 bytes of hashes, 8 keys, 8 values, the next bucket (src/runtime/map.go). */
#define GO_BUCKET_PAIRS 8
#define GO_BUCKET_BYTES (8 + GO_BUCKET_PAIRS * 32 + 8)

/* Where a Go program has what: of struct ef_process. */
struct go {
	__u16 kind;
	__u16 below_thread;
	__u16 thread;
	__u16 current;
	__u16 labels;
};

/* Where a process has its threads' OpenTelemetry contexts: of struct ef_process. */
struct context {
	__u16 kind;
	__u16 module;
	__s32 offset;
};

#define LABEL_BYTES (8 * EF_MAX_LABEL_WORDS)

/* The labels that a program has put on what it runs, see go.h and context.h. */
struct labels {
	__u64 pairs[EF_MAX_LABELS * 4]; /* addresses and lengths of key and value */
	__u64 bucket[GO_BUCKET_BYTES / 8];
	__u64 words[EF_MAX_LABEL_WORDS + EF_MAX_CONTEXT_BYTES / 8]; /* an ef_labels; room for one text more, so that a mask is bound enough */
	__u32 found; /* pairs */
	__u32 bytes; /* of words */
};

/* A sample is put together here, since it is larger than the 512 bytes of a BPF program's stack. */
struct scratch {
	struct ef_sample sample;
	__u8 payload[EF_PAYLOAD_BYTES];
	struct walk walk;
	struct python python;
	struct labels labels;
	struct user_registers registers;
	struct ef_space space;
	struct go go;
	struct context context;
};

/*
 * 102 KB for each possible CPU; a per-CPU array has room for 32 KB at most. The agent sets the number. One slot is enough: the program
 * runs in the clock's hard interrupt, which does not nest.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/*
 * Samples on their way to the agent. The agent sets the size before it loads: two seconds of deep stacks at its rate on its CPUs, 1 to
 * 16 MB. Copies of stacks may fill three quarters of it, so that they push out no sample. This is what is left when nobody sets it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} samples SEC(".maps");

/* 1,024 entries for 120 stacks: few push each other out. */
#define KEPT_INDEX_BITS 10
#define KEPT_INDEX (1 << KEPT_INDEX_BITS)

struct kept {
	__u32 head; /* word at which the next stack is kept */
	__u32 count;
	__u16 index[KEPT_INDEX]; /* by hash: the word at which a stack begins; one that is not there any more compares unequal */
	__u64 words[EF_KEPT_ROOM];
};

/* 41 KB for each possible CPU. The agent sets the number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kept);
} kept_stacks SEC(".maps");

/* 64 bytes for each possible CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EF_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct process {
	struct ef_process head;
	struct ef_mapping mappings[EF_PART_MAPPINGS];
};

/*
 * 1 KB for each part of a process that has been sampled lately; most have one. Kernels before 6.1 do not let a program that runs in
 * interrupts use a hash that is not allocated before: there the agent clears the flag, and it is 4 MB.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EF_MAX_PROCESS_PARTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ef_process_key);
	__type(value, struct process);
} processes SEC(".maps");

/* 200 KB. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EF_MAX_PYTHONS);
	__type(key, __u32);
	__type(value, struct ef_python);
} pythons SEC(".maps");

/* Elements of an unwind table, see unwind-abi.h. */
struct chunk {
	__u64 elements[EF_UNWIND_CHUNK_ELEMENTS];
};

/* Any array with BPF_F_INNER_MAP may be put in, of whatever length; the kernel holds what the agent's budget allows (32 MB). */
struct table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct chunk));
};

/* 8 bytes for each slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, EF_MAX_TABLES);
	__type(key, __u32);
	__array(values, struct table);
} tables SEC(".maps");

/* Keeps clang from reasoning about a value: a bound that it moves elsewhere is a bound that the verifier does not see. */
#define opaque(value) asm volatile("" : "+r"(value))

static __always_inline void count(__u32 counter)
{
	__u64 *total = bpf_map_lookup_elem(&counters, &counter);

	if (total)
		*total += 1; /* per CPU, and nothing interrupts this program but itself: no atomics */
}

static __always_inline struct scratch *this_scratch(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&scratches, &cpu);
}

#endif
