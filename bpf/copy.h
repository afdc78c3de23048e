/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What is needed to unwind a stack later: the registers, and the stack from SP on. */
#ifndef EVERFLAME_COPY_H
#define EVERFLAME_COPY_H

#define STACK_PAGE 4096
#define COPY_PAGES (EF_MAX_COPY_BYTES / STACK_PAGE + 1)

/*
 * Copies at `at` in the payload and answers the bytes of stack. Reads page by page: a read that runs into a page that is not there fails whole.
 * The main thread's stack ends where the program's arguments begin; another's where the next page is missing, mostly the guard of the
 * thread above.
 */
static __always_inline __u32 copy_stack(struct scratch *scratch, const struct ef_space *space, __u32 at)
{
	struct ef_copy *copy;
	__u64 sp, limit;
	__u32 bytes = 0;

	/* Kernel frames fill at most 1,016 bytes. */
	opaque(at);
	at &= 1023;
	copy = (struct ef_copy *)(scratch->payload + at);
	copy->mm = space->mm;
	copy->start_stack = space->start_stack;
	copy->exec_pages = space->exec_pages;
	set_registers(&scratch->registers, &copy->pc, copy->registers);
	sp = copy->registers[REGISTER_SP];
	limit = space->start_stack - sp < EF_MAX_COPY_BYTES ? space->start_stack - sp : EF_MAX_COPY_BYTES;
	limit &= ~7ULL;
	at += sizeof(*copy);
	for (int i = 0; i < COPY_PAGES; i++) {
		__u32 length = STACK_PAGE - ((sp + bytes) & (STACK_PAGE - 1));

		if (bytes >= limit)
			break;
		if (length > limit - bytes)
			length = limit - bytes;
		/* 1 to 4,096, at a place within the payload: the verifier has to see both. */
		length--;
		opaque(length);
		length = (length & (STACK_PAGE - 1)) + 1;
		opaque(bytes);
		if (bytes > EF_MAX_COPY_BYTES)
			break;
		if (bpf_probe_read_user(scratch->payload + at + bytes, length, (void *)(sp + bytes)))
			break;
		bytes += length;
	}
	return bytes;
}

#endif
