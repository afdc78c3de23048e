// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Runs at each tick of the sampling clock on each CPU: who is running, and by which way did it get there. There are two of it, of which the agent
 * loads one: `sample`, where the kernel has bpf_loop (5.17), and `sample_by_calls`, which calls itself.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "unwind-abi.h"
#include "task.h"
#include "registers.h"
#include "maps.h"
#include "table.h"
#include "step.h"
#include "v8.h"
#include "python.h"
#include "labels.h"
#include "walk.h"
#include "copy.h"
#include "kept.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define FRAME_BYTES ((long)sizeof(__u64))
#define KERNEL_STACK_BYTES (EF_MAX_KERNEL_FRAMES * FRAME_BYTES)

/* All of a sample but the user stack. */
static __always_inline void begin_sample(struct perf_event_data *ctx, struct scratch *scratch, struct task_struct *task)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct ef_sample *sample = &scratch->sample;
	long bytes;

	sample->time_ns = bpf_ktime_get_ns();
	sample->cgroup_id = bpf_get_current_cgroup_id();
	sample->thread_pointer = thread_pointer();
	sample->pid = pid_tgid >> 32;
	sample->tid = (__u32)pid_tgid;
	sample->cpu = bpf_get_smp_processor_id();
	sample->flags = is_kernel_thread(task) ? EF_FLAG_KERNEL_THREAD : 0;
	sample->user_frames = 0;
	sample->guessed_from = 0;
	sample->user_end = EF_END_NONE;
	sample->kept_count = 0;
	sample->generation = 0;
	sample->copy_bytes = 0;
	sample->top_bytes = 0;
	sample->kept_at = 0;
	sample->label_words = 0;
	scratch->go.kind = 0;
	scratch->context.kind = 0;
	bpf_get_current_comm(sample->comm, sizeof(sample->comm));

	/* In user mode there is nothing of the kernel but the interrupt that we are in. */
	bytes = is_user_mode(&ctx->regs) ? 0 : bpf_get_stack(ctx, scratch->payload, KERNEL_STACK_BYTES, 0);
	if (bytes < 0) {
		sample->flags |= EF_FLAG_KERNEL_FAILED;
		bytes = 0;
	} else if (bytes >= KERNEL_STACK_BYTES) {
		sample->flags |= EF_FLAG_KERNEL_TRUNCATED;
	}
	sample->kernel_frames = bytes / FRAME_BYTES;
}

/* False where the ring is full. */
static __always_inline int send(struct scratch *scratch, __u32 payload_bytes)
{
	/* No record is larger; the verifier has forgotten it. */
	opaque(payload_bytes);
	if (payload_bytes > EF_PAYLOAD_BYTES)
		payload_bytes = EF_PAYLOAD_BYTES;
	/* No wake-up: the agent comes by ten times a second whatever happens, which is cheaper than being called. */
	if (bpf_ringbuf_output(&samples, scratch, sizeof(scratch->sample) + payload_bytes, BPF_RB_NO_WAKEUP)) {
		count(EF_COUNTER_RING_FULL);
		return 0;
	}
	count(EF_COUNTER_SAMPLED);
	return 1;
}

/* A record of frames, or of the place where this CPU has sent the same ones before. */
static __always_inline int end_sample(struct scratch *scratch)
{
	struct ef_sample *sample = &scratch->sample;
	__u32 frames = sample->kernel_frames + sample->user_frames + sample->label_words, entry, at;
	struct kept *kept = this_kept();

	if (!kept || frames == 0) {
		send(scratch, FRAME_BYTES * frames);
		return 0;
	}
	sample->kept_count = kept->count;
	entry = hash_frames(frames);
	at = kept->index[entry & (KEPT_INDEX - 1)];
	if (are_kept(at, frames)) {
		sample->flags |= EF_FLAG_REPEATED;
		sample->kept_at = at;
		count(EF_COUNTER_REPEATED);
		send(scratch, 0);
		return 0;
	}
	sample->kept_at = kept->head;
	if (send(scratch, FRAME_BYTES * frames))
		keep(scratch, kept, entry, frames);
	return 0;
}

/* Frames of the kernel, then those of the walk. */
static __always_inline int end_walk(struct scratch *scratch, __u32 end)
{
	struct ef_sample *sample = &scratch->sample;
	struct walk *walk = &scratch->walk;

	sample->user_frames = walk->frames;
	sample->guessed_from = walk->guessed_from < walk->frames ? walk->guessed_from : walk->frames;
	sample->user_end = end;
	if (may_have_labels(scratch))
		add_labels(FRAME_BYTES * (sample->kernel_frames + sample->user_frames));
	return end_sample(scratch);
}

/* The registers and the stack in place of frames; where there is no room, the interrupted instruction alone. */
static __always_inline int end_with_copy(struct scratch *scratch)
{
	struct ef_sample *sample = &scratch->sample;
	__u32 at = FRAME_BYTES * sample->kernel_frames;
	__u32 most = copy_limit(), copied;
	__u64 *leaf;

	if (most == 0) {
		sample->generation = 0;
		count(EF_COUNTER_COPY_NO_ROOM);
		opaque(at);
		leaf = (__u64 *)(scratch->payload + (at & 1023));
#if defined(__TARGET_ARCH_x86)
		*leaf = scratch->registers.rip;
#else
		*leaf = scratch->registers.pc;
#endif
		sample->user_frames = 1;
		sample->guessed_from = 1;
		sample->user_end = EF_END_COPY_NO_ROOM;
		return end_sample(scratch);
	}
	count(EF_COUNTER_COPIED);
	sample->flags |= EF_FLAG_COPIED;
	copy_stack(at, most);
	at += sizeof(struct ef_copy) + sample->copy_bytes + (sample->top_bytes ? EF_MAX_TOP_BYTES : 0);
	copied = copy_python(at);
	sample->kept_at = copied <= EF_MAX_PYTHON_BYTES ? copied : 0;
	at += sample->kept_at;
	if (may_have_labels(scratch))
		add_labels(at);
	send(scratch, at + 8 * sample->label_words);
	return 0;
}

#if defined(__TARGET_ARCH_arm64)
/* A 32-bit program of Arm, which describes its stacks in another way: the kernel knows how its frame pointers lie. */
static __always_inline int end_compat(struct perf_event_data *ctx, struct scratch *scratch)
{
	struct ef_sample *sample = &scratch->sample;
	__u32 at = FRAME_BYTES * sample->kernel_frames;
	long bytes;

	opaque(at);
	bytes = bpf_get_stack(ctx, scratch->payload + (at & 1023), KERNEL_STACK_BYTES, BPF_F_USER_STACK);
	sample->user_end = EF_END_FRAME_POINTER;
	if (bytes < 0)
		bytes = 0;
	sample->user_frames = bytes / FRAME_BYTES;
	sample->guessed_from = sample->user_frames ? 1 : 0;
	return end_sample(scratch);
}
#endif

/*
 * Everything before the walk. Answers 1 when the stack is to be walked, with `walk` ready; else the sample is on its way already.
 */
static __always_inline int prepare(struct perf_event_data *ctx, struct scratch *scratch)
{
	struct ef_space *space = &scratch->space;
	struct task_struct *task = current_task();
	struct ef_process_key key = {};
	struct process *process;

	begin_sample(ctx, scratch, task);
	if ((scratch->sample.flags & EF_FLAG_KERNEL_THREAD) || !read_space(task, space) ||
	    !read_user_registers(ctx, task, &scratch->registers)) {
		end_sample(scratch);
		return 0;
	}
	if (is_compat(&scratch->registers)) {
		scratch->sample.flags |= EF_FLAG_COMPAT;
#if defined(__TARGET_ARCH_arm64)
		end_compat(ctx, scratch);
		return 0;
#endif
	}
	key.pid = scratch->sample.pid;
	scratch->walk.pid = key.pid;
	process = bpf_map_lookup_elem(&processes, &key);
	if (!process || process->head.mm != space->mm || process->head.start_stack != space->start_stack ||
	    process->head.exec_pages != space->exec_pages) {
		end_with_copy(scratch);
		return 0;
	}
	scratch->sample.generation = process->head.generation;
	scratch->go.kind = process->head.go_kind;
	scratch->go.below_thread = process->head.go_below_thread;
	scratch->go.thread = process->head.go_thread;
	scratch->go.current = process->head.go_current;
	scratch->go.labels = process->head.go_labels;
	scratch->context.kind = process->head.context_kind;
	scratch->context.module = process->head.context_module;
	scratch->context.offset = (__s32)process->head.context_offset;
	scratch->python.state = PYTHON_UNSEEN;
	begin_walk(&scratch->walk, key.pid, FRAME_BYTES * scratch->sample.kernel_frames,
		   scratch->sample.flags & EF_FLAG_COMPAT);
	set_registers(&scratch->registers, &scratch->walk.pc, scratch->walk.registers);
	return 1;
}

static __always_inline int finish(struct scratch *scratch, __u32 end)
{
	return end == END_UNKNOWN ? end_with_copy(scratch) : end_walk(scratch, end);
}

/* What one CPU does at one tick, without a slot of its own or without a task: nothing. */
static __always_inline struct scratch *scratch_of_busy_cpu(void)
{
	struct scratch *scratch;

	/* The idle task: a CPU that has nothing to do is no news. */
	if (bpf_get_current_pid_tgid() == 0) {
		count(EF_COUNTER_IDLE);
		return 0;
	}
	scratch = this_scratch();
	if (!scratch)
		count(EF_COUNTER_NO_SCRATCH);
	return scratch;
}

static long walk_in_loop(__u32 index, __u32 *end)
{
	*end = walk_frame();
	return *end != CALLER;
}

SEC("?perf_event")
int sample(struct perf_event_data *ctx)
{
	struct scratch *scratch = scratch_of_busy_cpu();
	__u32 end = EF_END_DEPTH;

	if (!scratch || !prepare(ctx, scratch))
		return 0;
	/* Twice, since frames of Python's glue are walked and not noted. */
	bpf_loop(2 * EF_MAX_USER_FRAMES, walk_in_loop, &end, 0);
	return finish(scratch, end);
}

/* The agent puts walk_by_calls in. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

SEC("?perf_event")
int walk_by_calls(struct perf_event_data *ctx)
{
	struct scratch *scratch = this_scratch();
	__u32 end = CALLER;

	if (!scratch)
		return 0;
	for (int i = 0; i < EF_FRAMES_PER_PROGRAM; i++) {
		end = walk_frame();
		if (end != CALLER)
			break;
	}
	if (end == CALLER) {
		if (++scratch->walk.tail_calls < EF_MAX_TAIL_CALLS) {
			bpf_tail_call(ctx, &programs, 0);
			count(EF_COUNTER_TAIL_CALL_FAILED);
		}
		end = EF_END_DEPTH;
	}
	return finish(scratch, end);
}

SEC("?perf_event")
int sample_by_calls(struct perf_event_data *ctx)
{
	struct scratch *scratch = scratch_of_busy_cpu();

	if (!scratch || !prepare(ctx, scratch))
		return 0;
	bpf_tail_call(ctx, &programs, 0);
	count(EF_COUNTER_TAIL_CALL_FAILED);
	return end_walk(scratch, EF_END_DEPTH);
}
