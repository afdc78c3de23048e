/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The maps, each with its cost. */
#ifndef EVERFLAME_MAPS_H
#define EVERFLAME_MAPS_H

/* Room for one stack: the power of two above EF_MAX_FRAMES * 8, so that a mask bounds an offset into it. */
#define EF_STACK_ROOM 1024

/* A sample is put together here, since it is larger than the 512 bytes of a BPF program's stack. */
struct scratch {
	struct ef_sample sample;
	__u64 frames[2 * EF_STACK_ROOM / sizeof(__u64)];
};

/* 2.1 KB for each possible CPU. One slot is enough: the program runs in the clock's hard interrupt, which does not nest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/*
 * Samples on their way to the agent. The agent sets the size before it loads: two seconds of the deepest stacks at its
 * rate on its CPUs (1 MB on 2 CPUs at 99 Hz, at most 16 MB). This is what is left when nobody sets it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} samples SEC(".maps");

/* 32 bytes for each possible CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EF_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *total = bpf_map_lookup_elem(&counters, &counter);

	if (total)
		*total += 1; /* per CPU, and nothing interrupts this program but itself: no atomics */
}

#endif
