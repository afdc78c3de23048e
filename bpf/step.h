/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * From a frame to its caller, by a row of a table or by a frame pointer. The twin of unwindStep in packages/binary/src/unwind/unwind-step.ts,
 * rule by rule; the same vectors run through both.
 */
#ifndef EVERFLAME_STEP_H
#define EVERFLAME_STEP_H

/* walk.known */
#define KNOWN_ALL 1
#define KNOWN_FP 2
#define KNOWN_RBX 4
/*
 * This frame's callee was the leaf, whose registers are still there: assembly that calls its own helpers knows which of them they leave alone.
 * What is counted from one of them is a guess.
 */
#define KNOWN_LEAF 8

/* A frame larger than this is not believed when it comes from a guess. */
#define WIDEST_GUESS (1024 * 1024)

/* A step that went to the caller; other outcomes are EF_END_…, of which EF_END_GAP may still be guessed from. */
#define CALLER 0

/* No offset of a return address or of rbx in an extension has this value. */
#define NO_THIRD (-0x10000)

/* AArch64 signs return addresses in the bits above the address (pointer authentication); a program has 48 of them. */
#define AARCH64_ADDRESS_MASK 0xffffffffffffULL

/*
 * `bytes`: of a word of the program, 8 or 4. A constant wherever it is passed: what it decides is decided by the compiler, and the step of 32-bit
 * programs is a function of its own.
 */
static __always_inline int load(__u64 address, __u64 *word, int bytes)
{
	__u32 half;

	if (bytes == 8)
		return bpf_probe_read_user(word, sizeof(*word), (void *)address) == 0;
	if (bpf_probe_read_user(&half, sizeof(half), (void *)address))
		return 0;
	*word = half;
	return 1;
}

static __always_inline __u64 code_address(__u64 word)
{
#if defined(__TARGET_ARCH_arm64)
	return word & AARCH64_ADDRESS_MASK;
#else
	return word;
#endif
}

/* Is the value of a register that of this frame? */
static __always_inline int is_known(struct walk *walk, __u32 number)
{
	if ((walk->known & KNOWN_ALL) || number == REGISTER_SP)
		return 1;
	if (number == REGISTER_FP)
		return (walk->known & KNOWN_FP) != 0;
#if defined(__TARGET_ARCH_x86)
	if (number == REGISTER_RBX)
		return (walk->known & KNOWN_RBX) != 0;
#endif
	return 0;
}

static __always_inline __u64 value_of(struct walk *walk, __u32 number)
{
	return walk->registers[number & (EF_REGISTERS - 1)];
}

/* The chain of frame records: at FP the caller's FP, a word above the return address. */
static __always_inline __u32 step_by_frame_record(struct walk *walk, int may_jump, int bytes)
{
	__u64 fp = walk->registers[REGISTER_FP], record[2], pc;
	__u32 halves[2];

	if (!is_known(walk, REGISTER_FP))
		return EF_END_LOST_REGISTER;
	if (fp == 0)
		return EF_END_COMPLETE;
	if (!may_jump && fp < walk->registers[REGISTER_SP])
		return EF_END_STACK_ORDER;
	if (bytes == 8) {
		if (bpf_probe_read_user(record, sizeof(record), (void *)fp))
			return EF_END_BAD_READ;
	} else {
		if (bpf_probe_read_user(halves, sizeof(halves), (void *)fp))
			return EF_END_BAD_READ;
		record[0] = halves[0];
		record[1] = halves[1];
	}
	pc = code_address(record[1]);
	if (pc == 0)
		return EF_END_COMPLETE;
	walk->registers[REGISTER_FP] = record[0];
	walk->registers[REGISTER_SP] = fp + 2 * bytes;
	walk->pc = pc;
	walk->is_return_address = 1;
	walk->known = KNOWN_FP;
	return CALLER;
}

#if defined(__TARGET_ARCH_x86)
/* struct sigcontext, arch/x86/include/uapi/asm/sigcontext.h: r8-r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip. */
static __always_inline __u32 step_signal(struct walk *walk)
{
	__u64 saved[17];

	if (bpf_probe_read_user(saved, sizeof(saved),
				(void *)(walk->registers[REGISTER_SP] + EF_UNWIND_X86_UCONTEXT_GREGS)))
		return EF_END_BAD_READ;
#pragma unroll
	for (int i = 0; i < 8; i++)
		walk->registers[8 + i] = saved[i];
	walk->registers[5] = saved[8];
	walk->registers[4] = saved[9];
	walk->registers[6] = saved[10];
	walk->registers[3] = saved[11];
	walk->registers[1] = saved[12];
	walk->registers[0] = saved[13];
	walk->registers[2] = saved[14];
	walk->registers[7] = saved[15];
	walk->pc = saved[16];
	walk->is_return_address = 0;
	walk->known = KNOWN_ALL | KNOWN_FP | KNOWN_RBX;
	return CALLER;
}

/* struct sigcontext_32, same file: di, si, bp, sp, bx, dx, cx, ax, trapno, err, ip. */
static __always_inline __u32 step_signal_32(struct walk *walk, __u32 at)
{
	__u32 saved[11];

	if (bpf_probe_read_user(saved, sizeof(saved),
				(void *)(walk->registers[REGISTER_SP] + at + EF_UNWIND_I386_SIGCONTEXT_DI)))
		return EF_END_BAD_READ;
	walk->registers[5] = saved[0];
	walk->registers[4] = saved[1];
	walk->registers[6] = saved[2];
	walk->registers[7] = saved[3];
	walk->registers[3] = saved[4];
	walk->registers[1] = saved[5];
	walk->registers[2] = saved[6];
	walk->registers[0] = saved[7];
	walk->pc = saved[10];
	walk->is_return_address = 0;
	walk->known = KNOWN_ALL | KNOWN_FP | KNOWN_RBX;
	return CALLER;
}
#else
static __always_inline __u32 step_signal(struct walk *walk)
{
	__u64 at = walk->registers[REGISTER_SP] + EF_UNWIND_ARM64_UCONTEXT_REGS;

	if (!load(at + 8 * 32, &walk->pc, 8) ||
	    bpf_probe_read_user(walk->registers, sizeof(walk->registers), (void *)at))
		return EF_END_BAD_READ;
	walk->registers[REGISTER_RA] = code_address(walk->registers[REGISTER_RA]);
	walk->is_return_address = 0;
	walk->known = KNOWN_ALL | KNOWN_FP | KNOWN_RBX;
	return CALLER;
}
#endif

static __always_inline void set_fp(struct walk *walk, int is_known, __u64 value)
{
	walk->registers[REGISTER_FP] = is_known ? value : 0;
	if (is_known)
		walk->known |= KNOWN_FP;
	else
		walk->known &= ~KNOWN_FP;
}

static __always_inline __u32 step_row(struct walk *walk, int bytes)
{
	__u64 row = walk->row;
	__u32 kind = (row >> 16) & 0xf, argument = (row >> 20) & 0xf, rule = (row >> 24) & 0xf, number = (row >> 28) & 0xf;
	__s64 cfa_off = (__u16)(row >> 32), fp_off = (__s16)(row >> 48), third = NO_THIRD, unit = 1;
	__u64 sp = walk->registers[REGISTER_SP], cfa, base, word, pc, fp = 0;
	int is_ordered = 1, is_guessed = 0, has_window = 0, has_fp;

	if (kind == EF_UNWIND_KIND_EXT) {
		word = walk->extension;
		kind = argument;
		argument = 0;
		cfa_off = (__s32)word;
		fp_off = (__s16)(word >> 32);
		third = (__s16)(word >> 48);
#if defined(__TARGET_ARCH_arm64)
		unit = EF_UNWIND_EXT_UNIT_AARCH64;
#endif
	} else if (kind >= EF_UNWIND_KIND_INDEXED && kind <= EF_UNWIND_KIND_REG) {
		cfa_off = (__s16)cfa_off;
	}
	if (kind == EF_UNWIND_KIND_STOP)
		return EF_END_COMPLETE;
	if (kind == EF_UNWIND_KIND_FP_FRAME)
		return step_by_frame_record(walk, walk->table_flags & EF_UNWIND_FLAG_GO, bytes);
	if (kind == EF_UNWIND_KIND_SIGNAL) {
#if defined(__TARGET_ARCH_x86)
		if (bytes == 4)
			return step_signal_32(walk, cfa_off);
#endif
		return step_signal(walk);
	}

	switch (kind) {
	case EF_UNWIND_KIND_SP:
	case EF_UNWIND_KIND_LR:
	case EF_UNWIND_KIND_RA_REG:
		cfa = sp + cfa_off;
		break;
	case EF_UNWIND_KIND_PLT:
		cfa = sp + ((walk->pc & 15) >= argument ? 2 * bytes : bytes);
		break;
	case EF_UNWIND_KIND_INDEXED:
	case EF_UNWIND_KIND_DEREF_SP:
	case EF_UNWIND_KIND_DEREF_FP:
		base = sp;
		if (kind == EF_UNWIND_KIND_DEREF_FP) {
			if (!is_known(walk, REGISTER_FP))
				return EF_END_LOST_REGISTER;
			base = walk->registers[REGISTER_FP];
		} else if (kind == EF_UNWIND_KIND_INDEXED) {
			if (!is_known(walk, number))
				return EF_END_LOST_REGISTER;
			base += 8 * value_of(walk, number);
		}
		if (!load(base + cfa_off, &word, bytes))
			return EF_END_BAD_READ;
		cfa = word + 8 * argument;
		break;
	case EF_UNWIND_KIND_FP:
	case EF_UNWIND_KIND_REG:
		if (kind == EF_UNWIND_KIND_FP)
			number = REGISTER_FP;
		else
			is_ordered = 0;
		cfa = value_of(walk, number) + cfa_off;
		if (!is_known(walk, number)) {
			if (kind == EF_UNWIND_KIND_FP || !(walk->known & KNOWN_LEAF))
				return EF_END_LOST_REGISTER;
			if (cfa <= sp || cfa > sp + WIDEST_GUESS || (cfa & (bytes - 1)))
				return EF_END_LOST_REGISTER;
			is_guessed = 1;
		}
		number = (row >> 28) & 0xf;
		break;
	default:
		return EF_END_GAP;
	}
	fp_off *= unit;

#if defined(__TARGET_ARCH_x86)
	/* A frame whose return address is in a register needs no stack: vfork. */
	if (is_ordered && (kind == EF_UNWIND_KIND_RA_REG ? cfa < sp : cfa <= sp))
		return EF_END_STACK_ORDER;
	if (kind == EF_UNWIND_KIND_RA_REG) {
		if (!is_known(walk, number))
			return EF_END_LOST_REGISTER;
		pc = value_of(walk, number);
	} else {
		if (bytes == 8 && rule == EF_UNWIND_RULE_AT_CFA && fp_off >= -WINDOW_BYTES && (fp_off & 7) == 0 && fp_off < 0)
			has_window = bpf_probe_read_user(walk->window, sizeof(walk->window), (void *)(cfa - WINDOW_BYTES)) == 0;
		if (has_window)
			pc = walk->window[WINDOW_WORDS - 1];
		else if (!load(cfa - bytes, &pc, bytes))
			return EF_END_BAD_READ;
	}
#else
	if (is_ordered && cfa < sp)
		return EF_END_STACK_ORDER;
	if (kind == EF_UNWIND_KIND_RA_REG) {
		if (!is_known(walk, number))
			return EF_END_LOST_REGISTER;
		pc = value_of(walk, number);
	} else if (kind == EF_UNWIND_KIND_LR || third == 0) {
		if (!(walk->known & KNOWN_ALL))
			return EF_END_LOST_REGISTER;
		pc = walk->registers[REGISTER_RA];
	} else {
		__s64 saved_at = third != NO_THIRD ? third * unit :
				 rule == EF_UNWIND_RULE_SAME_RA_AT_CFA ? fp_off : fp_off + 8;

		if (!load(cfa + saved_at, &word, bytes))
			return EF_END_BAD_READ;
		pc = code_address(word);
	}
#endif
	if (pc == 0)
		return EF_END_ZERO_RETURN;

	/* A frame pointer that cannot be restored is unknown from here on: most callers do not need it. */
	switch (rule) {
	case EF_UNWIND_RULE_SAME:
	case EF_UNWIND_RULE_SAME_RA_AT_CFA:
		break;
	case EF_UNWIND_RULE_IN_REG:
		has_fp = is_known(walk, number);
		set_fp(walk, has_fp, value_of(walk, number));
		break;
	case EF_UNWIND_RULE_AT_CFA:
		if (has_window) {
			/* The offsets are multiples of 8; the mask says to the verifier that it stays inside. */
			fp = walk->window[((fp_off + WINDOW_BYTES) >> 3) & (WINDOW_WORDS - 1)];
			has_fp = 1;
		} else {
			has_fp = load(cfa + fp_off, &fp, bytes);
		}
		set_fp(walk, has_fp, fp);
		break;
	case EF_UNWIND_RULE_AT_FP:
		number = REGISTER_FP;
		/* fallthrough */
	case EF_UNWIND_RULE_AT_REG:
		has_fp = is_known(walk, number) && load(value_of(walk, number) + fp_off, &fp, bytes);
		set_fp(walk, has_fp, fp);
		break;
	default:
		set_fp(walk, 0, 0);
	}
#if defined(__TARGET_ARCH_x86)
	/* A table that follows rbx says in an extension where it was saved; in any other, whoever calls has an unknown one. */
	if (!(walk->table_flags & EF_UNWIND_FLAG_TRACKS_RBX)) {
		walk->known &= ~KNOWN_RBX;
	} else if (third != NO_THIRD && third != 0) {
		word = 0;
		if (load(cfa + third, &word, bytes))
			walk->known |= KNOWN_RBX;
		else
			walk->known &= ~KNOWN_RBX;
		walk->registers[REGISTER_RBX] = word;
	}
#endif
	if (is_guessed && walk->guessed_from > walk->frames)
		walk->guessed_from = walk->frames;
	if (walk->known & KNOWN_ALL)
		walk->known |= KNOWN_LEAF;
	else
		walk->known &= ~KNOWN_LEAF;
	walk->known &= ~KNOWN_ALL;
	walk->registers[REGISTER_SP] = cfa;
	walk->pc = pc;
	walk->is_return_address = 1;
	return CALLER;
}

/* By the row in the walk. */
__noinline int step_by_row(void)
{
	struct scratch *scratch = this_scratch();

	return scratch ? step_row(&scratch->walk, 8) : EF_END_GAP;
}

#if defined(__TARGET_ARCH_x86)
/* The same in a 32-bit program. */
__noinline int step_by_row_32(void)
{
	struct scratch *scratch = this_scratch();

	return scratch ? step_row(&scratch->walk, 4) : EF_END_GAP;
}
#endif

static __always_inline int step_by_row_of(const struct walk *walk)
{
#if defined(__TARGET_ARCH_x86)
	if (walk->is_32_bit)
		return step_by_row_32();
#endif
	return step_by_row();
}

#endif
