/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the kernel part and the agent say to each other. The one place for these layouts: scripts/gen-abi.mjs makes
 * packages/agent/src/kernel/generated/abi.ts from it. It understands `#define EF_NAME number` and structs of fixed-width
 * fields without hidden padding, so keep to those.
 */
#ifndef EVERFLAME_ABI_H
#define EVERFLAME_ABI_H

/* Frames per stack. 127 is the default of kernel.perf_event_max_stack, above which the kernel's walk does not go. */
#define EF_MAX_FRAMES 127
#define EF_COMM_BYTES 16

/* Bits of ef_sample.flags. */
#define EF_FLAG_KERNEL_THREAD 1
#define EF_FLAG_KERNEL_TRUNCATED 2
#define EF_FLAG_USER_TRUNCATED 4
/* The kernel's walk failed with an error: the stack is empty or lacks its user part. */
#define EF_FLAG_KERNEL_FAILED 8
#define EF_FLAG_USER_FAILED 16

/* Indices into the per-CPU array `counters`: one for each way out of the program. */
#define EF_COUNTER_SAMPLED 0
#define EF_COUNTER_IDLE 1
#define EF_COUNTER_RING_FULL 2
#define EF_COUNTER_NO_SCRATCH 3
#define EF_COUNTERS 4

/* One record of the ring `samples`, followed by kernel_frames + user_frames addresses (u64), kernel first, leaf first. */
struct ef_sample {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 cgroup_id; /* of the default (v2) hierarchy */
	__u32 pid; /* process (tgid), root PID namespace */
	__u32 tid;
	__u32 cpu;
	__u32 flags;
	__u16 kernel_frames;
	__u16 user_frames;
	__u32 reserved;
	__u8 comm[EF_COMM_BYTES];
};

#endif
