/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A user stack from the leaf to the root. The twin of unwindStack in packages/binary/src/unwind/unwind-stack.ts. */
#ifndef EVERFLAME_WALK_H
#define EVERFLAME_WALK_H

/* Beyond the EF_END_…: the stack goes through something that the kernel part has no table for yet. */
#define END_UNKNOWN 255

static __always_inline int step_in_jit(struct walk *walk)
{
	return walk->is_32_bit ? step_by_frame_record(walk, 0, 4) : step_by_frame_record(walk, 0, 8);
}

/* Where no row says how: the frame pointer, if it could be one. */
static __always_inline int guess(struct walk *walk)
{
	__u64 fp = walk->registers[REGISTER_FP], sp = walk->registers[REGISTER_SP];

	if (!is_known(walk, REGISTER_FP) || fp < sp || fp > sp + WIDEST_GUESS || (fp & (walk->is_32_bit ? 3 : 7)))
		return 0;
	return step_in_jit(walk) == CALLER;
}

/* Notes the frame and goes to its caller: CALLER, EF_END_… or END_UNKNOWN. */
__noinline int walk_frame(void)
{
	struct scratch *scratch = this_scratch();
	struct walk *walk;
	__u64 address;
	__u32 end, at;

	if (!scratch)
		return EF_END_DEPTH;
	walk = &scratch->walk;
	address = walk->is_return_address ? walk->pc - 1 : walk->pc;
	at = walk->frames_at + 8 * walk->frames;
	if (walk->frames >= EF_MAX_USER_FRAMES)
		return EF_END_DEPTH;
	if (!find_mapping(address)) {
		/*
		 * Something that is no code is no frame. The program really ran at the leaf, though: that mapping is news. After a signal, too.
		 */
		if (!walk->is_return_address)
			return END_UNKNOWN;
		return walk->gap ? walk->gap : EF_END_NO_MAPPING;
	}
	if (walk->kind == EF_MAPPING_PENDING)
		return END_UNKNOWN;
	/* At most 127 + 512 frames. */
	opaque(at);
	at &= FRAMES_MASK;
	*(__u64 *)(scratch->payload + at) = address;
	walk->frames++;
	if (walk->kind == EF_MAPPING_FRAME_POINTER) {
		walk->gap = 0;
		return step_in_jit(walk);
	}
	if (walk->kind == EF_MAPPING_V8) {
		walk->gap = 0;
		return step_v8();
	}
	end = walk->kind == EF_MAPPING_NONE ? EF_END_NO_TABLE : EF_END_GAP;
	if (walk->kind == EF_MAPPING_TABLE) {
		int outcome = find_row(address - walk->bias);

		if (outcome == NOT_LOADED)
			return END_UNKNOWN;
		if (outcome == FOUND)
			end = step_by_row_of(walk);
		if (end == CALLER && (walk->table_flags & EF_MAPPING_FLAG_PYTHON))
			note_python(address);
	}
	if (end != EF_END_GAP && end != EF_END_NO_TABLE) {
		walk->gap = 0;
		return end;
	}
	walk->gap = end;
	if (!guess(walk))
		return end;
	if (walk->guessed_from > walk->frames)
		walk->guessed_from = walk->frames;
	return CALLER;
}

static __always_inline void begin_walk(struct walk *walk, __u32 pid, __u32 frames_at, __u32 is_32_bit)
{
	walk->start = 0;
	walk->end = 0;
	walk->known = KNOWN_ALL | KNOWN_FP | KNOWN_RBX;
	walk->is_return_address = 0;
	walk->pid = pid;
	walk->frames = 0;
	walk->frames_at = frames_at;
	walk->guessed_from = EF_MAX_USER_FRAMES;
	walk->tail_calls = 0;
	walk->is_32_bit = is_32_bit;
	walk->gap = 0;
}

#endif
