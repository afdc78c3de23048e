/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * How unwind tables are laid out: one array of 8-byte elements per executable, made by packages/binary/src/unwind from
 * .eh_frame and searched by the kernel part and by its twin in TypeScript. scripts/gen-abi.mjs makes
 * packages/binary/src/unwind/generated/unwind-abi.ts from this file.
 *
 * The array begins with the page index: one struct ef_unwind_page for each 8 KB of text from the table's base on. The rows
 * of a page are sorted by pc_low, and the first has pc_low 0, so that a page is searched by itself. After all the rows
 * come the extensions that rows of kind EXT point to. 8 KB of text have 90 to 200 rows.
 *
 * In the kernel the elements lie in values of 4 KB, 512 in each: one look-up brings them all, and the search goes on inside without any.
 *
 * Registers are DWARF's numbers in 4 bits. x86-64: 0 rax, 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8-15 r8-r15. i386: the same, though
 * its own numbers are others; its return address is at CFA - 4, and its words have 4 bytes.
 * AArch64: 0-15 x0-x15; x29 and sp have kinds and rules of their own.
 */
#ifndef EVERFLAME_UNWIND_ABI_H
#define EVERFLAME_UNWIND_ABI_H

#define EF_UNWIND_ELEMENT_BYTES 8
#define EF_UNWIND_CHUNK_ELEMENTS 512
#define EF_UNWIND_PAGE_SHIFT 13
/* 2 GB of text: the page index of such a table takes 2 MB. */
#define EF_UNWIND_MAX_PAGES 262144
/* Rows of a page start at different bytes of it, so they lie in no more chunks. */
#define EF_UNWIND_MAX_PAGE_CHUNKS 17

struct ef_unwind_page {
	__u32 first_row; /* element */
	__u32 row_count; /* 0 only where the table ends before the page */
};

/* op: kind in the low nibble, its argument in the high one. fp: rule in the low nibble, register in the high one. */
struct ef_unwind_row {
	__u16 pc_low; /* low 16 bits of (address - base) from which on it holds */
	__u8 op;
	__u8 fp;
	__u16 cfa_off; /* unsigned for kinds SP, FP, LR, RA_REG; else signed */
	__u16 fp_off; /* signed */
};

/* What a row of kind EXT points to: cfa_off | fp_off << 16 of the row is the element; its kind is the argument. */
struct ef_unwind_ext {
	__u32 cfa_off; /* signed */
	__u16 fp_off; /* signed; AArch64: in units of EF_UNWIND_EXT_UNIT_AARCH64, like third_off */
	/*
	 * Signed. x86-64: where rbx was saved, relative to the CFA; 0: rbx is the caller's. AArch64: where the return address
	 * was saved, relative to the CFA; 0: it is in the link register.
	 */
	__u16 third_off;
};

/* AArch64's compilers save FP and the link register at the bottom of a frame, so their offsets grow with it. */
#define EF_UNWIND_EXT_UNIT_AARCH64 8

/* Kinds. The CFA is the caller's stack pointer; x86-64's return address is at CFA - 8. */
#define EF_UNWIND_KIND_INVALID 0 /* no table covers this code */
#define EF_UNWIND_KIND_STOP 1 /* the stack ends here: _start, clone */
#define EF_UNWIND_KIND_SP 2 /* CFA = SP + cfa_off */
#define EF_UNWIND_KIND_FP 3 /* CFA = FP + cfa_off */
#define EF_UNWIND_KIND_FP_FRAME 4 /* frame record at FP: caller's FP at FP, return address at FP + 8, CFA = FP + 16 */
#define EF_UNWIND_KIND_PLT 5 /* CFA = SP + 8, 8 more from byte `argument` of the 16-byte entry on */
#define EF_UNWIND_KIND_INDEXED 6 /* CFA = *(SP + cfa_off + 8 * register) + 8 * argument */
#define EF_UNWIND_KIND_SIGNAL 7 /* all registers are in the ucontext (i386: in the sigcontext at SP + cfa_off); the next address is no return address */
#define EF_UNWIND_KIND_DEREF_SP 8 /* CFA = *(SP + cfa_off) + 8 * argument */
#define EF_UNWIND_KIND_DEREF_FP 9 /* CFA = *(FP + cfa_off) + 8 * argument */
#define EF_UNWIND_KIND_REG 10 /* CFA = register + cfa_off */
#define EF_UNWIND_KIND_LR 11 /* AArch64: CFA = SP + cfa_off, return address in the link register */
#define EF_UNWIND_KIND_RA_REG 12 /* CFA = SP + cfa_off, return address in a register */
#define EF_UNWIND_KIND_EXT 13 /* kind SP, FP or REG (in `argument`) with the offsets of an ef_unwind_ext */

/* Rules for the frame pointer. On AArch64 the return address lies 8 bytes above a frame pointer saved by rule AT_CFA. */
#define EF_UNWIND_RULE_SAME 0
#define EF_UNWIND_RULE_AT_CFA 1 /* at CFA + fp_off */
#define EF_UNWIND_RULE_AT_REG 2 /* at register + fp_off */
#define EF_UNWIND_RULE_UNDEFINED 3
#define EF_UNWIND_RULE_IN_REG 4 /* x86-64: in another register */
#define EF_UNWIND_RULE_SAME_RA_AT_CFA 5 /* AArch64: the caller's; the return address is at CFA + fp_off */
#define EF_UNWIND_RULE_AT_FP 6 /* at FP + fp_off: functions that realign their stack */

/* Flags of a table. */
#define EF_UNWIND_FLAG_TRACKS_RBX 1 /* rbx is known across its frames: some row's CFA is relative to it (_dl_runtime_resolve) */
#define EF_UNWIND_FLAG_GO 2 /* text made by Go's compiler, where the chain of frame pointers holds */

/* x86-64: struct ucontext: rt_sigframe after its return address was popped, so at SP. Offsets of the saved registers. */
#define EF_UNWIND_X86_UCONTEXT_GREGS 40
/*
 * i386: in struct sigcontext_32 di, the first of the registers, and sp; and the sigcontext in struct rt_sigframe_ia32 at SP: sig, pinfo and puc (12),
 * siginfo (128), ucontext up to it (20).
 */
#define EF_UNWIND_I386_SIGCONTEXT_DI 16
#define EF_UNWIND_I386_SIGCONTEXT_SP 28
#define EF_UNWIND_I386_RT_SIGCONTEXT 160
/* AArch64: x0 in struct rt_sigframe at SP: siginfo (128), ucontext up to the sigcontext (176), fault_address (8). */
#define EF_UNWIND_ARM64_UCONTEXT_REGS 312

#endif
