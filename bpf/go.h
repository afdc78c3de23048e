/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The labels that a Go program has put on the goroutine that runs (runtime/pprof.Do). The thread's own memory has its g, which is the goroutine's, or, on the
 * stacks of the scheduler and of signals, one of those; its m knows the goroutine in any case. Labels are never written once a goroutine has them,
 * so what is read here is whole. In user space it would be too late: a request sets other ones in microseconds.
 */
#ifndef EVERFLAME_GO_H
#define EVERFLAME_GO_H

/* A hash of a bucket below this marks a place without a pair (src/runtime/map.go: minTopHash). */
#define GO_LEAST_HASH 5
/* In a map's head: the exponent of its number of buckets; their address. */
#define GO_MAP_EXPONENT 9
#define GO_MAP_BUCKETS 16
/* 4 buckets for 16 labels, each with a second one behind it. */
#define GO_MAP_EXPONENT_LIMIT 2
#define GO_MAP_BUCKET_LIMIT 4
#define GO_CHAIN_LIMIT 2

/* Takes the pairs of the bucket at `address`. Answers 0 where it cannot be read. */
__noinline int find_labels_in_bucket(__u64 address)
{
	struct scratch *scratch = this_scratch();
	struct labels *labels;
	__u32 at;

	if (!scratch)
		return 0;
	labels = &scratch->labels;
	if (bpf_probe_read_user(labels->bucket, GO_BUCKET_BYTES, (void *)address))
		return 0;
	for (__u32 i = 0; i < GO_BUCKET_PAIRS; i++) {
		if (((__u8 *)labels->bucket)[i] < GO_LEAST_HASH || labels->found >= EF_MAX_LABELS)
			continue;
		at = 4 * (labels->found & (EF_MAX_LABELS - 1));
		labels->pairs[at] = labels->bucket[1 + 2 * i];
		labels->pairs[at + 1] = labels->bucket[2 + 2 * i];
		labels->pairs[at + 2] = labels->bucket[1 + 2 * GO_BUCKET_PAIRS + 2 * i];
		labels->pairs[at + 3] = labels->bucket[2 + 2 * GO_BUCKET_PAIRS + 2 * i];
		labels->found++;
	}
	return 1;
}

/* Takes the pairs of the map whose head is at `map`. */
__noinline int find_labels_in_map(__u64 map)
{
	struct scratch *scratch = this_scratch();
	struct labels *labels;
	__u64 count, buckets, bucket;
	__u8 exponent;

	if (!scratch)
		return 0;
	labels = &scratch->labels;
	if (!load(map, &count, 8) || !load(map + GO_MAP_BUCKETS, &buckets, 8) ||
	    bpf_probe_read_user(&exponent, sizeof(exponent), (void *)(map + GO_MAP_EXPONENT))) {
		labels_head(labels)->cut |= EF_LABELS_CUT_UNREAD;
		return 0;
	}
	for (int i = 0; i < GO_MAP_BUCKET_LIMIT; i++) {
		if (exponent <= GO_MAP_EXPONENT_LIMIT && i >= 1 << exponent)
			break;
		bucket = buckets + i * GO_BUCKET_BYTES;
		for (int j = 0; j < GO_CHAIN_LIMIT && bucket; j++) {
			if (!find_labels_in_bucket(bucket))
				break;
			bucket = labels->bucket[GO_BUCKET_BYTES / 8 - 1];
		}
	}
	if (labels->found < count)
		labels_head(labels)->cut |= EF_LABELS_CUT_NUMBER;
	return 0;
}

/* Takes the pairs of the slice whose head is at `slice`. */
__noinline int find_labels_in_slice(__u64 slice)
{
	struct scratch *scratch = this_scratch();
	struct labels *labels;
	__u64 list, count;

	if (!scratch)
		return 0;
	labels = &scratch->labels;
	if (!load(slice, &list, 8) || !load(slice + 8, &count, 8)) {
		labels_head(labels)->cut |= EF_LABELS_CUT_UNREAD;
		return 0;
	}
	if (count > EF_MAX_LABELS) {
		labels_head(labels)->cut |= EF_LABELS_CUT_NUMBER;
		count = EF_MAX_LABELS;
	}
	opaque(count);
	if (count == 0 || count > EF_MAX_LABELS)
		return 0;
	if (bpf_probe_read_user(labels->pairs, 32 * count, (void *)list))
		labels_head(labels)->cut |= EF_LABELS_CUT_UNREAD;
	else
		labels->found = count;
	return 0;
}

/* Finds the labels of the goroutine that runs. */
static __always_inline void find_labels(struct scratch *scratch)
{
	struct labels *labels = &scratch->labels;
	struct go *go = &scratch->go;
	__u64 thread = scratch->sample.thread_pointer, at;

	if (!thread)
		return;
	/* A thread of C's has no g. */
	if (!load(thread - go->below_thread, &at, 8) || !at)
		return;
	if (!load(at + go->thread, &at, 8) || !at || !load(at + go->current, &at, 8))
		goto unread;
	/* The thread looks for something to run. */
	if (!at)
		return;
	if (!load(at + go->labels, &at, 8))
		goto unread;
	if (!at)
		return;
	if (go->kind == EF_GO_SLICE) {
		find_labels_in_slice(at);
		return;
	}
	if (!load(at, &at, 8))
		goto unread;
	find_labels_in_map(at);
	return;
unread:
	labels_head(labels)->cut |= EF_LABELS_CUT_UNREAD;
}

/* Copies a text of `bytes` from `address` to byte `at` of the words; what fills its last word up is zero. Answers 0 where it cannot be read. */
__noinline int copy_label_text(__u32 at, __u32 bytes, __u64 address)
{
	struct scratch *scratch = this_scratch();
	__u8 *words;

	if (!scratch)
		return 0;
	if (bytes == 0)
		return 1;
	words = (__u8 *)scratch->labels.words;
	opaque(at);
	at &= LABEL_BYTES - 8;
	opaque(bytes);
	if (bytes > EF_MAX_LABEL_VALUE)
		return 0;
	*(__u64 *)(words + at + ((bytes - 1) & (EF_MAX_LABEL_VALUE - 8))) = 0;
	return bpf_probe_read_user(words + at, bytes, (void *)address) == 0;
}

/* Puts pair `i` behind the labels that are there. */
__noinline int copy_label(__u32 i)
{
	struct scratch *scratch = this_scratch();
	__u32 at, value_at, key_bytes, value_bytes;
	struct labels *labels;
	struct ef_labels *head;
	__u64 *pair;

	if (!scratch)
		return 0;
	labels = &scratch->labels;
	head = labels_head(labels);
	pair = &labels->pairs[4 * (i & (EF_MAX_LABELS - 1))];
	if (pair[1] > EF_MAX_LABEL_KEY) {
		head->cut |= EF_LABELS_CUT_KEY;
		return 0;
	}
	key_bytes = pair[1];
	value_bytes = pair[3] > EF_MAX_LABEL_VALUE ? EF_MAX_LABEL_VALUE : pair[3];
	at = labels->bytes;
	value_at = at + 8 + ((key_bytes + 7) & ~7U);
	if (value_at + value_bytes > LABEL_BYTES) {
		head->cut |= EF_LABELS_CUT_ROOM;
		return 0;
	}
	if (!copy_label_text(at + 8, key_bytes, pair[0]) || !copy_label_text(value_at, value_bytes, pair[2])) {
		head->cut |= EF_LABELS_CUT_UNREAD;
		return 0;
	}
	if (pair[3] > EF_MAX_LABEL_VALUE)
		head->cut |= EF_LABELS_CUT_VALUE;
	opaque(at);
	labels->words[(at / 8) & (EF_MAX_LABEL_WORDS - 1)] = key_bytes | (__u64)value_bytes << 32;
	labels->bytes = value_at + ((value_bytes + 7) & ~7U);
	head->count++;
	return 0;
}

/* Puts the labels of the goroutine that runs behind what is there. */
static __always_inline void copy_labels(struct scratch *scratch)
{
	struct labels *labels = &scratch->labels;

	find_labels(scratch);
	for (__u32 i = 0; i < EF_MAX_LABELS; i++) {
		if (i >= labels->found)
			break;
		copy_label(i);
	}
}

#endif
