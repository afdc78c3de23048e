// SPDX-License-Identifier: Apache-2.0
/*
 * The chain on stacks that the program made itself: by makecontext and by a switch of its own in assembly, which ends in a
 * return address of 0. `switch SECONDS TRUTH`.
 */
#define _GNU_SOURCE
#include <ucontext.h>
#include "planted.h"

static ucontext_t main_context, other_context;

PLANTED void context_main(void)
{
	for (;;) {
		level_01(1);
		swapcontext(&other_context, &main_context);
	}
}

#ifdef __x86_64__
static void *main_stack, *other_stack;

/* Saves what a callee must preserve, exchanges the stack pointers and goes on over there. */
void switch_stack(void **save, void *to);
__asm__(".text\n"
	".globl switch_stack\n"
	".type switch_stack, @function\n"
	"switch_stack:\n"
	".cfi_startproc\n"
	"push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbp, 0\n"
	"push %rbx\n.cfi_adjust_cfa_offset 8\n"
	"push %r12\n.cfi_adjust_cfa_offset 8\n"
	"push %r13\n.cfi_adjust_cfa_offset 8\n"
	"push %r14\n.cfi_adjust_cfa_offset 8\n"
	"push %r15\n.cfi_adjust_cfa_offset 8\n"
	"mov %rsp, (%rdi)\n"
	"mov %rsi, %rsp\n"
	"pop %r15\n.cfi_adjust_cfa_offset -8\n"
	"pop %r14\n.cfi_adjust_cfa_offset -8\n"
	"pop %r13\n.cfi_adjust_cfa_offset -8\n"
	"pop %r12\n.cfi_adjust_cfa_offset -8\n"
	"pop %rbx\n.cfi_adjust_cfa_offset -8\n"
	"pop %rbp\n.cfi_adjust_cfa_offset -8\n.cfi_restore %rbp\n"
	"ret\n"
	".cfi_endproc\n"
	".size switch_stack, . - switch_stack\n");

PLANTED void coroutine_main(void)
{
	for (;;) {
		level_01(2);
		switch_stack(&other_stack, main_stack);
	}
}

static void make_coroutine(void)
{
	static char room[256 * 1024] __attribute__((aligned(16)));
	void **top = (void **)(room + sizeof(room)) - 2;

	*top = NULL; /* coroutine_main returns to nowhere */
	*--top = (void *)coroutine_main;
	for (int i = 0; i < 6; i++)
		*--top = NULL;
	other_stack = top;
}
#endif

PLANTED void drive(uint64_t until)
{
	for (int turn = 0; planted_cpu_ns() < until; turn++) {
#ifdef __x86_64__
		if (turn % 2) {
			switch_stack(&main_stack, other_stack);
			continue;
		}
#endif
		swapcontext(&main_context, &other_context);
	}
}

int main(int argc, char **argv)
{
	static char room[256 * 1024];
	FILE *truth;

	if (argc != 3)
		return 2;
	getcontext(&other_context);
	other_context.uc_stack.ss_sp = room;
	other_context.uc_stack.ss_size = sizeof(room);
	other_context.uc_link = &main_context;
	makecontext(&other_context, context_main, 0);
#ifdef __x86_64__
	make_coroutine();
#endif
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "context_main");
	fprintf(truth, "root context_main\n");
#ifdef __x86_64__
	planted_truth_chain(truth, "coroutine_main");
	fprintf(truth, "root coroutine_main\n");
#endif
	planted_truth_totals(truth);
	return planted_truth_close(truth);
}
