/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Frames of V8's own code. Its twin is packages/binary/src/unwind/v8-frame.ts. All of it keeps frame pointers (V8, src/execution/frame-constants.h): below the saved one lie a
 * context or, as a small integer, the type of a frame that is no function's; then the JSFunction, the number of arguments, and in the
 * interpreter the bytecode and the offset in it.
 */
#ifndef EVERFLAME_V8_H
#define EVERFLAME_V8_H

/* Words of the walk's window, when it is read from FP - 48 on. */
#define V8_WINDOW_AT (-48)
#define V8_BYTECODE_OFFSET 1
#define V8_BYTECODE_ARRAY 2
#define V8_FUNCTION 4
#define V8_CONTEXT 5
#define V8_SAVED_FP 6
#define V8_RETURN 7

/* Of a pointer to an object on V8's heap; a small integer has 0 in the lowest bit and its value in the upper half. */
#define V8_TAG_MASK 7
#define V8_OBJECT_TAG 1
#define V8_SMI_SHIFT 32

static __always_inline int is_v8_object(__u64 word)
{
	return (word & V8_TAG_MASK) == V8_OBJECT_TAG && word < (1ULL << 47);
}

/*
 * Puts a note after the frame: of the function whose object this is, if it is one. Compiled code has a note in any case, since it says itself whose it
 * is.
 */
static __always_inline void note_v8_function(struct scratch *scratch, __u32 code, __u64 function, __u64 bytecode_offset)
{
	struct walk *walk = &scratch->walk;
	__u64 shared = 0, kind = EF_NOTE_COMPILED, place = EF_NOTE_NO_PLACE;
	__u32 at = walk->frames_at + 8 * walk->frames;

	if (walk->frames >= EF_MAX_USER_FRAMES)
		return;
	if (!is_v8_object(function) ||
	    !load(function - V8_OBJECT_TAG + (code & EF_V8_SHARED_MASK), &shared, 8) || !is_v8_object(shared))
		shared = 0;
	if ((code & EF_V8_BUILTINS) && !shared)
		return;
	if ((code & EF_V8_BUILTINS) && (__u32)bytecode_offset == 0) {
		kind = EF_NOTE_INTERPRETED;
		if ((bytecode_offset >> V8_SMI_SHIFT) < EF_NOTE_NO_PLACE)
			place = bytecode_offset >> V8_SMI_SHIFT;
	}
	opaque(at);
	at &= FRAMES_MASK;
	*(__u64 *)(scratch->payload + at) = kind << EF_NOTE_KIND_SHIFT | place << EF_NOTE_PLACE_SHIFT | shared >> 3;
	walk->frames++;
}

#if defined(__TARGET_ARCH_x86)
/* push rbp; mov rbp, rsp; push rsi (the context); push rdi (the function); push rax (the number of arguments): a function's frame. ret */
#define V8_PUSH 0x55
#define V8_SET_FP 0xe58948
#define V8_PROLOGUE 0x505756e5894855ULL
#define V8_PROLOGUE_MASK 0xffffffffffffffULL
#define V8_PUSH_CONTEXT 0x5756
#define V8_PUSH_FUNCTION 0x5057
#define V8_RET 0xc3
/* In front of it a function looks whether it was deoptimised: up to three instructions. */
#define V8_PROLOGUE_WITHIN 24
/* src/codegen/x64/register-x64.h: rdi at the entry of a function; r12 and r9 in the interpreter. */
#define V8_JS_FUNCTION_REGISTER 5
#define V8_BYTECODE_ARRAY_REGISTER 12
#define V8_BYTECODE_OFFSET_REGISTER 9
/* It counts from the tagged pointer to the bytecode's object, whose header has 40 bytes and more; what is less is something else. */
#define V8_LEAST_OFFSET 39
/* Frames that are noted when the second one is looked at and the leaf was no function's. */
#define V8_HANDLER_AND_CALLER 2

/* What a leaf has of its frame, told from the instructions that it is about to execute. */
#define V8_NO_FRAME 0 /* none yet: FP is the caller's, the return address is at SP */
#define V8_PUSHED_FP 1 /* the caller's FP is at SP */
#define V8_NO_FUNCTION 2 /* its function is still in a register only */
#define V8_WHOLE_FRAME 3
#define V8_RETURNING 4 /* none any more */

static __always_inline int v8_leaf_frame(struct walk *walk)
{
	__u64 code;

	if (!(walk->known & KNOWN_ALL) ||
	    bpf_probe_read_user(walk->window, sizeof(walk->window), (void *)walk->pc))
		return V8_WHOLE_FRAME;
	code = walk->window[0];
	if ((code & 0xff) == V8_RET)
		return V8_RETURNING;
	if ((code & 0xff) == V8_PUSH)
		return V8_NO_FRAME;
	if ((code & 0xffffff) == V8_SET_FP)
		return V8_PUSHED_FP;
	if ((code & 0xffff) == V8_PUSH_CONTEXT || (code & 0xffff) == V8_PUSH_FUNCTION)
		return V8_NO_FUNCTION;
	for (int i = 1; i < V8_PROLOGUE_WITHIN; i++) {
		code = *(__u64 *)((__u8 *)walk->window + i);
		if ((code & V8_PROLOGUE_MASK) == V8_PROLOGUE)
			return V8_NO_FRAME;
	}
	return V8_WHOLE_FRAME;
}

/* Words above SP in which the return address of a builtin without a frame of its own lies. */
#define V8_FRAMELESS_WORDS 4

/*
 * A leaf among the builtins that has no frame of its own, called by compiled code: FP is its caller's, whose instruction is found in the return address. Notes the
 * caller as a frame and answers 1.
 */
static __always_inline int note_v8_caller(struct scratch *scratch)
{
	struct walk *walk = &scratch->walk;
	__u64 words[V8_FRAMELESS_WORDS];
	__u32 at;

	if (bpf_probe_read_user(words, sizeof(words), (void *)walk->registers[REGISTER_SP]))
		return 0;
	for (int i = 0; i < V8_FRAMELESS_WORDS; i++) {
		if (words[i] >> 47 || words[i] < 65536 || !find_mapping(words[i] - 1))
			continue;
		if (walk->kind != EF_MAPPING_V8 || (walk->page_count & EF_V8_BUILTINS) ||
		    walk->frames >= EF_MAX_USER_FRAMES)
			continue;
		at = walk->frames_at + 8 * walk->frames;
		opaque(at);
		at &= FRAMES_MASK;
		*(__u64 *)(scratch->payload + at) = words[i] - 1;
		walk->frames++;
		return 1;
	}
	return 0;
}

/*
 * The interpreter writes its offset into the frame before it calls what may look at it; until then it is in a register: of the leaf where it is a
 * handler without a frame, of its caller where the handler has one. Frames in between have notes, or are frames themselves.
 */
static __always_inline __u64 v8_bytecode_offset(struct walk *walk)
{
	__u64 offset = walk->registers[V8_BYTECODE_OFFSET_REGISTER];

	if (((walk->known & KNOWN_ALL) || walk->frames == V8_HANDLER_AND_CALLER) &&
	    offset >= V8_LEAST_OFFSET && offset < EF_NOTE_NO_PLACE &&
	    walk->registers[V8_BYTECODE_ARRAY_REGISTER] == walk->window[V8_BYTECODE_ARRAY])
		return offset << V8_SMI_SHIFT;
	return walk->window[V8_BYTECODE_OFFSET];
}
#else
static __always_inline __u64 v8_bytecode_offset(struct walk *walk)
{
	return walk->window[V8_BYTECODE_OFFSET];
}
#endif

/* Notes whose frame it is and goes to its caller. The address of the frame is noted already. */
__noinline int step_v8(void)
{
	struct scratch *scratch = this_scratch();
	struct walk *walk;
	__u64 fp, function = 0;
	__u32 code;

	if (!scratch)
		return EF_END_DEPTH;
	walk = &scratch->walk;
	fp = walk->registers[REGISTER_FP];
	code = walk->page_count;
#if defined(__TARGET_ARCH_x86)
	{
		int frame = v8_leaf_frame(walk);

		/* At its first instructions the function is in a register. */
		if (frame <= V8_NO_FUNCTION)
			function = walk->registers[V8_JS_FUNCTION_REGISTER];
		if (frame == V8_NO_FRAME || frame == V8_PUSHED_FP || frame == V8_RETURNING) {
			__u64 sp = walk->registers[REGISTER_SP];

			if (bpf_probe_read_user(walk->window, 16, (void *)sp))
				return EF_END_BAD_READ;
			note_v8_function(scratch, code, function, 1);
			walk->pc = frame == V8_PUSHED_FP ? walk->window[1] : walk->window[0];
			if (frame == V8_PUSHED_FP)
				walk->registers[REGISTER_FP] = walk->window[0];
			walk->registers[REGISTER_SP] = sp + (frame == V8_PUSHED_FP ? 16 : 8);
			walk->is_return_address = 1;
			walk->known = KNOWN_FP;
			return walk->pc ? CALLER : EF_END_COMPLETE;
		}
	}
#endif
	if (!is_known(walk, REGISTER_FP) || fp < walk->registers[REGISTER_SP] ||
	    bpf_probe_read_user(walk->window, sizeof(walk->window), (void *)(fp + V8_WINDOW_AT)))
		return step_by_frame_record(walk, 0, 8);
	if (!function && is_v8_object(walk->window[V8_CONTEXT]))
		function = walk->window[V8_FUNCTION];
#if defined(__TARGET_ARCH_x86)
	if ((walk->known & KNOWN_ALL) && (code & EF_V8_BUILTINS) && is_v8_object(function) && note_v8_caller(scratch))
		code &= ~EF_V8_BUILTINS;
#endif
	note_v8_function(scratch, code, function, v8_bytecode_offset(walk));
	walk->pc = code_address(walk->window[V8_RETURN]);
	if (walk->pc == 0)
		return EF_END_COMPLETE;
	walk->registers[REGISTER_FP] = walk->window[V8_SAVED_FP];
	walk->registers[REGISTER_SP] = fp + 16;
	walk->is_return_address = 1;
	walk->known = KNOWN_FP;
	return CALLER;
}

#endif
