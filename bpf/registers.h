/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The user registers of the interrupted program, by DWARF number. */
#ifndef EVERFLAME_REGISTERS_H
#define EVERFLAME_REGISTERS_H

#if defined(__TARGET_ARCH_x86)
#define REGISTER_FP 6
#define REGISTER_SP 7
#define REGISTER_RBX 3
/* arch/x86/include/asm/segment.h: __USER32_CS */
#define USER32_CS 0x23

/* struct pt_regs, arch/x86/include/uapi/asm/ptrace.h */
struct user_registers {
	__u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, eflags, rsp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
#define REGISTER_FP 29
#define REGISTER_SP 31
#define REGISTER_RA 30
/* arch/arm64/include/uapi/asm/ptrace.h */
#define PSR_MODE32_BIT 0x10
#define PSR_MODE_MASK 0xf

/* struct user_pt_regs, arch/arm64/include/uapi/asm/ptrace.h */
struct user_registers {
	__u64 regs[31], sp, pc, pstate;
};
#else
#error "no registers for this architecture"
#endif

/* struct bpf_perf_event_data, include/uapi/linux/bpf_perf_event.h: the interrupted registers, be they the program's or the kernel's. */
struct perf_event_data {
	struct user_registers regs;
	__u64 sample_period;
	__u64 addr;
};

/* THREAD_SIZE where the kernel has no bpf_task_pt_regs (before 5.15); both architectures with pages of 4 KB and without KASAN. */
#define OLD_THREAD_BYTES 16384

static __always_inline int is_user_mode(const struct user_registers *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (regs->cs & 3) == 3;
#else
	return (regs->pstate & PSR_MODE_MASK) == 0;
#endif
}

static __always_inline int is_compat(const struct user_registers *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->cs == USER32_CS;
#else
	return (regs->pstate & PSR_MODE32_BIT) != 0;
#endif
}

/*
 * The registers with which the program left user mode: now, or when it entered the kernel, which keeps them at the top of its stack. False
 * where they cannot be read.
 */
static __always_inline int read_user_registers(struct perf_event_data *ctx, struct task_struct *task,
					       struct user_registers *regs)
{
	void *saved;

	if (is_user_mode(&ctx->regs)) {
		*regs = ctx->regs;
		return 1;
	}
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
		saved = (void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
	} else {
		saved = BPF_CORE_READ(task, stack);
		saved += OLD_THREAD_BYTES - sizeof(*regs);
	}
	return bpf_probe_read_kernel(regs, sizeof(*regs), saved) == 0 && is_user_mode(regs);
}

/* Those of an i386 program are the lower halves, by the number of the whole. */
static __always_inline void set_registers(const struct user_registers *regs, __u64 *pc, __u64 *registers)
{
#if defined(__TARGET_ARCH_x86)
	/* System V ABI, AMD64 supplement, "DWARF register number mapping". */
	*pc = regs->rip;
	registers[0] = regs->rax;
	registers[1] = regs->rdx;
	registers[2] = regs->rcx;
	registers[3] = regs->rbx;
	registers[4] = regs->rsi;
	registers[5] = regs->rdi;
	registers[6] = regs->rbp;
	registers[7] = regs->rsp;
	registers[8] = regs->r8;
	registers[9] = regs->r9;
	registers[10] = regs->r10;
	registers[11] = regs->r11;
	registers[12] = regs->r12;
	registers[13] = regs->r13;
	registers[14] = regs->r14;
	registers[15] = regs->r15;
	if (is_compat(regs)) {
		*pc = (__u32)*pc;
		for (int i = 0; i < 8; i++)
			registers[i] = (__u32)registers[i];
	}
#else
	*pc = regs->pc;
	for (int i = 0; i < 31; i++)
		registers[i] = regs->regs[i];
	registers[31] = regs->sp;
#endif
}

#endif
