/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What a program says of the work that a thread does: its OpenTelemetry context, and the labels of a goroutine. */
#ifndef EVERFLAME_LABELS_H
#define EVERFLAME_LABELS_H

static __always_inline struct ef_labels *labels_head(struct labels *labels)
{
	return (struct ef_labels *)labels->words;
}

#include "context.h"
#include "go.h"

static __always_inline int may_have_labels(const struct scratch *scratch)
{
	return scratch->go.kind || scratch->context.kind;
}

/* Puts the labels of what runs at byte `at` of the payload, and into the sample how many words they are. */
__noinline int add_labels(__u32 at)
{
	struct scratch *scratch = this_scratch();
	struct labels *labels;
	__u32 bytes;

	if (!scratch)
		return 0;
	labels = &scratch->labels;
	labels->words[0] = 0;
	labels->bytes = sizeof(struct ef_labels);
	labels->found = 0;
	if (scratch->context.kind)
		copy_context();
	if (scratch->go.kind)
		copy_labels(scratch);
	if (!labels->words[0])
		return 0;
	bytes = labels->bytes;
	opaque(bytes);
	opaque(at);
	if (bytes > LABEL_BYTES || at > EF_PAYLOAD_BYTES - LABEL_BYTES)
		return 0;
	if (bpf_probe_read_kernel(scratch->payload + at, bytes, labels->words))
		return 0;
	scratch->sample.label_words = bytes / 8;
	return 0;
}

#endif
