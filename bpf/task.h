/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The few fields of kernel structs that are read, found at load time by name through BTF (CO-RE). */
#ifndef EVERFLAME_TASK_H
#define EVERFLAME_TASK_H

struct task_struct {
	unsigned int flags;
} __attribute__((preserve_access_index));

/* include/linux/sched.h; the same in every kernel since 2.6.29. */
#define PF_KTHREAD 0x00200000

static __always_inline int is_kernel_thread(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return (BPF_CORE_READ(task, flags) & PF_KTHREAD) != 0;
}

#endif
