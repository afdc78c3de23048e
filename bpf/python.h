/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Frames of CPython. Python's functions have no frames of their own on the C stack: the interpreter's loop keeps a list of theirs, and one call of the
 * loop may run many of them. The list of a thread is found by its thread pointer, which CPython knows it by (pthread_self). It falls into segments,
 * one for each call of the loop that is under way, and what separates them lies on the C stack, in the frame of that very call: a _PyCFrame in 3.11, in later
 * versions a frame that is no function's. So each segment is put behind the native frame that holds its mark, and C code that is called by
 * Python and calls Python stays where it belongs. Up to 3.10 each call of the loop runs one function.
 *
 * A segment is read before its native frame is met, into `notes`.
 */
#ifndef EVERFLAME_PYTHON_H
#define EVERFLAME_PYTHON_H

/* python.state */
#define PYTHON_UNSEEN 0
#define PYTHON_WAITS 1 /* a segment, for its native frame */
#define PYTHON_OVER 2

/* What note_python_frame came to, beside CALLER. */
#define PYTHON_SEGMENT 1 /* the segment ends here */
#define PYTHON_BROKEN 2

/* Segments behind one native frame: one, or more where native frames were not told apart. */
#define PYTHON_SEGMENTS 4

static __always_inline __u64 python_word(const struct python *python, __u32 offset)
{
	return python->words[(offset >> 3) & (PYTHON_FRAME_ROOM - 1)];
}

/* Notes the function of the frame and goes to its caller. */
__noinline int note_python_frame(void)
{
	struct scratch *scratch = this_scratch();
	__u64 frame, code, place = EF_NOTE_NO_PLACE;
	struct ef_python *layout;
	struct python *python;
	__s32 index;
	__u8 mark;

	if (!scratch)
		return PYTHON_BROKEN;
	python = &scratch->python;
	layout = &python->layout;
	frame = python->frame;
	if (python->frames++ >= EF_MAX_PYTHON_FRAMES ||
	    bpf_probe_read_user(python->words, PYTHON_FRAME_BYTES, (void *)(frame + layout->frame_at)))
		return PYTHON_BROKEN;
	python->frame = python_word(python, layout->frame_previous);
	mark = *((__u8 *)python->words + (layout->frame_mark & (8 * PYTHON_FRAME_ROOM - 1)));
	if ((layout->flags & EF_PYTHON_SHIMS) && mark >= EF_PYTHON_OWNED_BY_C) {
		python->mark = frame;
		return PYTHON_SEGMENT;
	}
	code = python_word(python, layout->frame_code) & ~7ULL;
	if (!(layout->flags & EF_PYTHON_BY_CALL))
		place = (python_word(python, layout->frame_place) - code - layout->code_first) >> 1;
	else if (bpf_probe_read_user(&index, sizeof(index), (void *)(frame + layout->frame_place)) == 0 && index >= 0)
		place = (__u32)index >> layout->index_shift;
	if (place > EF_NOTE_NO_PLACE)
		place = EF_NOTE_NO_PLACE;
	if (code >> 47)
		return PYTHON_BROKEN;
	if (python->count < EF_MAX_USER_FRAMES) {
		python->notes[python->count & (EF_MAX_USER_FRAMES - 1)] =
			(__u64)EF_NOTE_INTERPRETED << EF_NOTE_KIND_SHIFT | place << EF_NOTE_PLACE_SHIFT | code >> 3;
		python->count++;
	}
	if ((layout->flags & EF_PYTHON_BY_CALL) || python->frame == 0)
		return PYTHON_SEGMENT;
	return !(layout->flags & EF_PYTHON_SHIMS) && mark == 1 ? PYTHON_SEGMENT : CALLER;
}

/* Looks at `python.thread`, or goes to the next interpreter: CALLER to look on, PYTHON_SEGMENT when it is this thread and runs Python, else PYTHON_BROKEN. */
__noinline int look_at_python_thread(void)
{
	struct scratch *scratch = this_scratch();
	struct ef_python *layout;
	struct python *python;
	__u64 id, frame, first;

	if (!scratch)
		return PYTHON_BROKEN;
	python = &scratch->python;
	layout = &python->layout;
	/* Of the whole sample: lists in a process's memory may have no end. */
	if (python->looks++ >= EF_MAX_PYTHON_THREADS)
		return PYTHON_BROKEN;
	if (!python->thread) {
		if (!python->interpreter ||
		    !load(python->interpreter + layout->interpreter_threads, &python->thread, 8) ||
		    !load(python->interpreter + layout->interpreter_next, &python->interpreter, 8))
			return PYTHON_BROKEN;
		return CALLER;
	}
	if (!load(python->thread + layout->thread_id, &id, 8))
		return PYTHON_BROKEN;
	if (id != scratch->sample.thread_pointer)
		return load(python->thread + layout->thread_next, &python->thread, 8) ? CALLER : PYTHON_BROKEN;
	if (!load(python->thread + layout->thread_frame, &frame, 8))
		return PYTHON_BROKEN;
	python->thread = 0;
	first = frame;
	if ((layout->flags & EF_PYTHON_CFRAMES) && !load(frame + layout->cframe_frame, &first, 8))
		return PYTHON_BROKEN;
	/* Without a frame: it runs in another interpreter. */
	if (!first)
		return CALLER;
	python->frame = frame;
	python->cframe = frame;
	return PYTHON_SEGMENT;
}

/* The next state of this thread, which has one in each interpreter that it runs; `python.interpreter` is where to look on. Answers 0 when there is none. */
__noinline int find_python_thread(void)
{
	for (int i = 0; i < EF_MAX_PYTHON_THREADS; i++) {
		int outcome = look_at_python_thread();

		if (outcome != CALLER)
			return outcome == PYTHON_SEGMENT;
	}
	return 0;
}

/* Reads the next segment: PYTHON_WAITS or PYTHON_OVER. */
__noinline int read_python_segment(void)
{
	struct scratch *scratch = this_scratch();
	int outcome = PYTHON_BROKEN;
	struct ef_python *layout;
	struct python *python;
	__u64 frame;

	if (!scratch)
		return PYTHON_OVER;
	python = &scratch->python;
	layout = &python->layout;
	python->state = PYTHON_OVER;
	python->count = 0;
	python->mark = 0;
	if (layout->flags & EF_PYTHON_CFRAMES) {
		python->frame = 0;
		python->mark = python->cframe;
		if (python->cframe && load(python->cframe + layout->cframe_frame, &frame, 8))
			python->frame = frame;
		if (!python->frame || !load(python->cframe + layout->cframe_previous, &python->cframe, 8))
			return PYTHON_OVER;
	}
	if (!python->frame)
		return PYTHON_OVER;
	for (int i = 0; i < EF_MAX_PYTHON_FRAMES; i++) {
		outcome = note_python_frame();
		if (outcome != CALLER)
			break;
	}
	if (outcome != PYTHON_SEGMENT) {
		/* What was found up to here is right. */
		python->frame = 0;
		python->cframe = 0;
		if (python->count == 0)
			return PYTHON_OVER;
	}
	python->state = PYTHON_WAITS;
	return PYTHON_WAITS;
}

/*
 * Goes to the next segment of this thread: PYTHON_WAITS or PYTHON_OVER. What loops do here is a function by itself, whose answer is asked for: 6.1 refuses a loop
 * into whose middle an instruction falls that is no jump ("back-edge").
 */
__noinline int next_python_segment(void)
{
	struct scratch *scratch = this_scratch();

	if (read_python_segment() == PYTHON_WAITS)
		return PYTHON_WAITS;
	if (!scratch || !scratch->python.interpreter || !find_python_thread())
		return PYTHON_OVER;
	return read_python_segment();
}

static __always_inline void begin_python(struct scratch *scratch)
{
	struct python *python = &scratch->python;
	struct ef_python *layout;

	python->state = PYTHON_OVER;
	python->frames = 0;
	python->looks = 0;
	python->thread = 0;
	layout = bpf_map_lookup_elem(&pythons, &scratch->walk.pid);
	if (!layout || !scratch->sample.thread_pointer || layout->mm != scratch->space.mm)
		return;
	python->layout = *layout;
	if (!load(layout->runtime + layout->interpreters, &python->interpreter, 8))
		return;
	if (find_python_thread())
		next_python_segment();
}

/*
 * Puts behind the native frame of `address`, which was noted and left, what Python runs in it. SP is its caller's by now: what is below lies in the frame,
 * or in one further in that was not told apart.
 */
__noinline int note_python(__u64 address)
{
	struct scratch *scratch = this_scratch();
	struct python *python;
	struct walk *walk;
	__u32 count, at;

	if (!scratch)
		return 0;
	walk = &scratch->walk;
	python = &scratch->python;
	if (python->state == PYTHON_UNSEEN)
		begin_python(scratch);
	if (python->layout.flags & EF_PYTHON_BY_CALL) {
		for (int i = 0; i < EF_PYTHON_GLUE; i++) {
			if (walk->frames <= 1 || address < python->layout.glue_start[i] ||
			    address >= python->layout.glue_end[i])
				continue;
			walk->frames--;
			return 0;
		}
	}
	for (int i = 0; i < PYTHON_SEGMENTS; i++) {
		if (python->state != PYTHON_WAITS)
			return 0;
		if (python->layout.flags & EF_PYTHON_BY_CALL) {
			if (i > 0 || address < python->layout.loop_start || address >= python->layout.loop_end)
				return 0;
		} else if (python->mark >= walk->registers[REGISTER_SP]) {
			return 0;
		}
		count = python->count;
		if (walk->frames + count > EF_MAX_USER_FRAMES)
			count = EF_MAX_USER_FRAMES - walk->frames;
		at = walk->frames_at + 8 * walk->frames;
		opaque(count);
		opaque(at);
		at &= FRAMES_MASK;
		if (count > EF_MAX_USER_FRAMES)
			return 0;
		bpf_probe_read_kernel(scratch->payload + at, count * sizeof(__u64), python->notes);
		walk->frames += count;
		if (next_python_segment() != PYTHON_WAITS)
			return 0;
	}
	return 0;
}

/* Puts the segment that waits behind those before it, from `at` in the payload on, and goes to the next: 0 when there is none, or no room. */
__noinline int copy_python_segment(__u32 at)
{
	struct scratch *scratch = this_scratch();
	struct python *python;
	__u32 count, to;
	__u64 *head;

	if (!scratch)
		return 0;
	python = &scratch->python;
	count = python->count;
	to = python->copied;
	opaque(at);
	if (python->state != PYTHON_WAITS || at > EF_PAYLOAD_BYTES - 2 * EF_MAX_PYTHON_BYTES ||
	    count > EF_MAX_USER_FRAMES || to + 16 + 8 * count > EF_MAX_PYTHON_BYTES)
		return 0;
	opaque(to);
	to &= EF_MAX_PYTHON_BYTES - 8;
	head = (__u64 *)(scratch->payload + at + to);
	head[0] = python->mark;
	head[1] = count;
	opaque(count);
	if (count > EF_MAX_USER_FRAMES)
		return 0;
	bpf_probe_read_kernel(head + 2, count * sizeof(__u64), python->notes);
	python->copied += 16 + 8 * count;
	return next_python_segment() == PYTHON_WAITS;
}

/* Puts all segments of the thread at `at` in the payload, behind the copy of its stack; answers how many bytes. */
__noinline int copy_python(__u32 at)
{
	struct scratch *scratch = this_scratch();

	if (!scratch)
		return 0;
	scratch->python.copied = 0;
	begin_python(scratch);
	for (int i = 0; i < EF_MAX_PYTHON_BYTES / 24; i++)
		if (!copy_python_segment(at))
			break;
	return scratch->python.copied;
}

#endif
