// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Runs at each tick of the sampling clock on each CPU: who is running, and by which way did it get there. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "maps.h"
#include "task.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define FRAME_BYTES ((long)sizeof(__u64))
#define STACK_BYTES (EF_MAX_FRAMES * FRAME_BYTES)

SEC("perf_event")
int sample(void *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct scratch *scratch;
	__u32 zero = 0;
	__u64 at;
	long bytes;

	/* The idle task: a CPU that has nothing to do is no news. */
	if (pid_tgid == 0) {
		count(EF_COUNTER_IDLE);
		return 0;
	}
	scratch = bpf_map_lookup_elem(&scratches, &zero);
	if (!scratch) {
		count(EF_COUNTER_NO_SCRATCH);
		return 0;
	}

	scratch->sample.time_ns = bpf_ktime_get_ns();
	scratch->sample.cgroup_id = bpf_get_current_cgroup_id();
	scratch->sample.pid = pid_tgid >> 32;
	scratch->sample.tid = (__u32)pid_tgid;
	scratch->sample.cpu = bpf_get_smp_processor_id();
	scratch->sample.flags = is_kernel_thread() ? EF_FLAG_KERNEL_THREAD : 0;
	scratch->sample.reserved = 0;
	bpf_get_current_comm(scratch->sample.comm, sizeof(scratch->sample.comm));

	bytes = bpf_get_stack(ctx, scratch->frames, STACK_BYTES, 0);
	if (bytes < 0) {
		scratch->sample.flags |= EF_FLAG_KERNEL_FAILED;
		bytes = 0;
	} else if (bytes >= STACK_BYTES) {
		scratch->sample.flags |= EF_FLAG_KERNEL_TRUNCATED;
	}
	scratch->sample.kernel_frames = bytes / FRAME_BYTES;

	/* Bytes of a stack are below 1,024; the mask says so to the verifier, which forgets it at the helper's return. */
	at = bytes & (EF_STACK_ROOM - 1);
	bytes = bpf_get_stack(ctx, (void *)scratch->frames + at, STACK_BYTES, BPF_F_USER_STACK);
	if (bytes < 0) {
		scratch->sample.flags |= EF_FLAG_USER_FAILED;
		bytes = 0;
	} else if (bytes >= STACK_BYTES) {
		scratch->sample.flags |= EF_FLAG_USER_TRUNCATED;
	}
	scratch->sample.user_frames = bytes / FRAME_BYTES;

	/* No wake-up: the agent comes by ten times a second whatever happens, which is cheaper than being called. */
	if (bpf_ringbuf_output(&samples, scratch, sizeof(scratch->sample) + at + (bytes & (EF_STACK_ROOM - 1)),
			       BPF_RB_NO_WAKEUP)) {
		count(EF_COUNTER_RING_FULL);
		return 0;
	}
	count(EF_COUNTER_SAMPLED);
	return 0;
}
