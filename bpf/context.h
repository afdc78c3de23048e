/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The OpenTelemetry context of the thread that runs (OTEP 4947): a variable of the thread's own points to a record with the ids of trace and span. The thread
 * alone writes it, and it is interrupted: what is valid is whole. A record that is being written says so.
 */
#ifndef EVERFLAME_CONTEXT_H
#define EVERFLAME_CONTEXT_H

#define CONTEXT_HEAD_BYTES 28
#define CONTEXT_VALID_AT 24
#define CONTEXT_SIZE_AT 26
/* Of the C library's thread: its table of the modules' blocks, of 16 bytes each (glibc, sysdeps/x86_64/nptl/tls.h, sysdeps/generic/dl-dtv.h). */
#define THREAD_BLOCKS 8
#define BLOCK_BYTES 16
/* Of a block that the thread has not used yet. */
#define NO_BLOCK ~0ULL

/* The address of the record, 0 where there is none. */
static __always_inline __u64 find_context(struct scratch *scratch)
{
	struct context *context = &scratch->context;
	__u64 at = scratch->sample.thread_pointer, record = 0;

	if (!at)
		return 0;
	if (context->kind == EF_CONTEXT_DYNAMIC) {
		if (!load(at + THREAD_BLOCKS, &at, 8) || !load(at + BLOCK_BYTES * (__u64)context->module, &at, 8) ||
		    !at || at == NO_BLOCK)
			return 0;
	}
	return load(at + (__s64)context->offset, &record, 8) ? record : 0;
}

/* Puts the context of the thread that runs behind the head of the labels. */
__noinline int copy_context(void)
{
	struct scratch *scratch = this_scratch();
	struct labels *labels;
	struct ef_labels *head;
	__u64 record;
	__u32 bytes;
	__u8 *to;

	if (!scratch)
		return 0;
	record = find_context(scratch);
	if (!record)
		return 0;
	labels = &scratch->labels;
	head = labels_head(labels);
	to = (__u8 *)(labels->words + sizeof(*head) / 8);
	if (bpf_probe_read_user(to, CONTEXT_HEAD_BYTES, (void *)record)) {
		head->cut |= EF_LABELS_CUT_UNREAD;
		return 0;
	}
	if (to[CONTEXT_VALID_AT] != 1)
		return 0;
	bytes = CONTEXT_HEAD_BYTES + *(__u16 *)(to + CONTEXT_SIZE_AT);
	if (bytes > EF_MAX_CONTEXT_BYTES) {
		head->cut |= EF_LABELS_CUT_CONTEXT;
		bytes = CONTEXT_HEAD_BYTES;
	}
	opaque(bytes);
	if (bytes < CONTEXT_HEAD_BYTES || bytes > EF_MAX_CONTEXT_BYTES)
		return 0;
	*(__u64 *)(to + ((bytes - 1) & (1024 - 8))) = 0;
	if (bpf_probe_read_user(to, bytes, (void *)record)) {
		head->cut |= EF_LABELS_CUT_UNREAD;
		return 0;
	}
	head->context_bytes = bytes;
	labels->bytes = sizeof(*head) + ((bytes + 7) & ~7U);
	return 0;
}

#endif
