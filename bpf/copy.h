/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What is needed to unwind a stack later: the registers, and the stack from SP on. */
#ifndef EVERFLAME_COPY_H
#define EVERFLAME_COPY_H

/* Of a stack that is copied in parts. */
#define SMALLEST_PART 64
/* Larger than the stacks of main threads get: RLIMIT_STACK is 8 MB. */
#define MAIN_STACK_BYTES (16 << 20)

/*
 * Copies may fill three quarters of the ring: the fuller it is, the less of a stack. Most are smaller than the least, and then it is the room for some
 * seconds without the agent. 0: none of this one.
 */
static __always_inline __u32 copy_limit(void)
{
	__u64 size = bpf_ringbuf_query(&samples, BPF_RB_RING_SIZE), used = bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA);

	if (used < size / 2)
		return EF_MAX_COPY_BYTES;
	if (used < 5 * size / 8)
		return EF_MAX_COPY_BYTES / 4;
	return used < 3 * size / 4 ? EF_MAX_COPY_BYTES / 16 : 0;
}

/*
 * The top of the main stack, into the last of EF_MAX_TOP_BYTES at `at`; answers how many bytes of it are there. A stack that has never been so
 * deep lacks pages, so smaller parts are tried, too.
 */
__noinline int copy_top(__u32 at)
{
	struct scratch *scratch = this_scratch();
	__u64 end;

	if (!scratch)
		return 0;
	end = scratch->space.start_stack & ~7ULL;
	opaque(at);
	if (at > EF_PAYLOAD_BYTES - EF_MAX_TOP_BYTES)
		return 0;
	if (!bpf_probe_read_user(scratch->payload + at, EF_MAX_TOP_BYTES, (void *)(end - EF_MAX_TOP_BYTES)))
		return EF_MAX_TOP_BYTES;
	at += EF_MAX_TOP_BYTES - EF_MAX_TOP_BYTES / 4;
	if (!bpf_probe_read_user(scratch->payload + at, EF_MAX_TOP_BYTES / 4, (void *)(end - EF_MAX_TOP_BYTES / 4)))
		return EF_MAX_TOP_BYTES / 4;
	return 0;
}

/*
 * Copies at `at` in the payload: as much of the stack as is there, in parts of falling size, since a read that runs into a page that is not
 * there fails whole. The main thread's stack ends where the program's arguments begin; another's where the next page is missing, mostly the
 * guard of the thread above. The top of the main stack, where it is needed, takes EF_MAX_TOP_BYTES behind it.
 */
__noinline int copy_stack(__u32 at, __u32 most)
{
	struct scratch *scratch = this_scratch();
	__u32 bytes, limit = most;
	struct ef_sample *sample;
	volatile __u32 *copied;
	struct ef_space *space;
	struct ef_copy *copy;
	__u64 sp;

	if (!scratch)
		return 0;
	sample = &scratch->sample;
	space = &scratch->space;
	/* Kernel frames fill at most 1,016 bytes. */
	opaque(at);
	at &= 1023;
	copy = (struct ef_copy *)(scratch->payload + at);
	copy->mm = space->mm;
	copy->start_stack = space->start_stack;
	copy->exec_pages = space->exec_pages;
	set_registers(&scratch->registers, &copy->pc, copy->registers);
	sp = copy->registers[REGISTER_SP];
	if (space->start_stack - sp < limit)
		limit = space->start_stack - sp + SMALLEST_PART;
	at += sizeof(*copy);
	/* In memory, so that the verifier knows no more of it than the check below says: as a register it would have 2^11 values. */
	copied = &sample->copy_bytes;
	*copied = 0;
	for (__u32 part = EF_MAX_COPY_BYTES; part >= SMALLEST_PART; part /= 2) {
		bytes = *copied;
		if (bytes > EF_MAX_COPY_BYTES - part || bytes + part > limit)
			continue;
		if (!bpf_probe_read_user(scratch->payload + at + bytes, part, (void *)(sp + bytes)))
			*copied = bytes + part;
	}
	sample->top_bytes = 0;
	if (sample->pid == sample->tid && space->start_stack - sp > MAIN_STACK_BYTES && most >= EF_MAX_TOP_BYTES)
		sample->top_bytes = copy_top(at + sample->copy_bytes);
	return 0;
}

#endif
