/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Frames that were sent before are not sent again. Each CPU keeps the frames of its last records in a ring of words, and the agent keeps the
 * same words at the same place: both write down each stack that went out whole, in the same order. A stack is looked for by a hash and compared
 * word by word with what lies there, so that it is told by all of it; what lies there is what the agent has, wherever a stack
 * began or ended. Labels behind the frames are words like these. A record that found no room in the ring of samples is not kept. Who it is, and where kernel, user and guessed frames
 * begin, is in each record itself.
 */
#ifndef EVERFLAME_KEPT_H
#define EVERFLAME_KEPT_H

#define KEPT_MASK (EF_KEPT_WORDS - 1)
#define MOST_FRAMES (EF_MAX_KERNEL_FRAMES + EF_MAX_USER_FRAMES + EF_MAX_LABEL_WORDS)
_Static_assert(EF_KEPT_ROOM == EF_KEPT_WORDS + MOST_FRAMES, "the last stack needs room for all of its frames and labels");

/* 2^64 divided by the golden ratio: the high bits of a product depend on all bits of the factor (Knuth, 6.4). */
#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

static __always_inline struct kept *this_kept(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&kept_stacks, &cpu);
}

/* Which entry of the index the frames in the payload have. A function by itself, like the next: each way out of its loop is verified with a short rest. */
__noinline int hash_frames(__u32 frames)
{
	struct scratch *scratch = this_scratch();
	__u64 hash = 0, *payload;

	if (!scratch)
		return 0;
	payload = (__u64 *)scratch->payload;
	for (__u32 i = 0; i < MOST_FRAMES; i++) {
		if (i >= frames)
			break;
		hash = (hash ^ payload[i]) * HASH_FACTOR;
	}
	return hash >> (64 - KEPT_INDEX_BITS);
}

/* Are the frames in the payload those that are kept from word `at` on? */
__noinline int are_kept(__u32 at, __u32 frames)
{
	struct scratch *scratch = this_scratch();
	struct kept *kept = this_kept();
	__u64 *payload, *words;

	if (!scratch || !kept || frames > MOST_FRAMES)
		return 0;
	payload = (__u64 *)scratch->payload;
	words = kept->words + (at & KEPT_MASK);
	for (__u32 i = 0; i < MOST_FRAMES; i++) {
		if (i >= frames)
			break;
		if (payload[i] != words[i])
			return 0;
	}
	return 1;
}

/* Keeps the frames in the payload at the place that their record has named. The twin of KeptStacks.keep in packages/agent/src/sampling. */
static __always_inline void keep(struct scratch *scratch, struct kept *kept, __u32 entry, __u32 frames)
{
	__u32 at = kept->head & KEPT_MASK;

	opaque(frames);
	if (frames > MOST_FRAMES)
		return;
	bpf_probe_read_kernel(kept->words + at, frames * sizeof(__u64), scratch->payload);
	kept->index[entry & (KEPT_INDEX - 1)] = at;
	kept->count++;
	at += frames;
	kept->head = at < EF_KEPT_WORDS ? at : 0;
}

#endif
