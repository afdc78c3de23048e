/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The few fields of kernel structs that are read, found at load time by name through BTF (CO-RE). */
#ifndef EVERFLAME_TASK_H
#define EVERFLAME_TASK_H

struct mm_struct {
	unsigned long start_stack;
	unsigned long exec_vm;
} __attribute__((preserve_access_index));

#if defined(__TARGET_ARCH_x86)
struct thread_struct {
	unsigned long fsbase;
} __attribute__((preserve_access_index));
#endif

struct task_struct {
	unsigned int flags;
	void *stack;
	struct mm_struct *mm;
#if defined(__TARGET_ARCH_x86)
	struct thread_struct thread;
#endif
} __attribute__((preserve_access_index));

/* include/linux/sched.h; the same in every kernel since 2.6.29. */
#define PF_KTHREAD 0x00200000

static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

/* What pthread_self answers in the running thread, by glibc and by musl; 0 where that is not known. */
static __always_inline __u64 thread_pointer(void)
{
#if defined(__TARGET_ARCH_x86)
	struct task_struct *task = current_task();

	return BPF_CORE_READ(task, thread.fsbase);
#else
	/* AArch64: the register is saved only when the thread is switched away, and pthread_self is below it by what the C library's version says. */
	return 0;
#endif
}

static __always_inline int is_kernel_thread(struct task_struct *task)
{
	return (BPF_CORE_READ(task, flags) & PF_KTHREAD) != 0;
}

/* False for a task without an address space: a kernel thread, or one that has given it back already. */
static __always_inline int read_space(struct task_struct *task, struct ef_space *space)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	space->mm = (__u64)mm;
	if (!mm)
		return 0;
	space->start_stack = BPF_CORE_READ(mm, start_stack);
	space->exec_pages = BPF_CORE_READ(mm, exec_vm);
	return 1;
}

#endif
