/*
 * Every shape of frame that an unwinder has to go through, one after another, ending with exit status 0. Built without frame
 * pointers and with lazy binding, so that the dynamic linker's resolver is among the frames.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

static volatile uint64_t sink;

NOINLINE static uint64_t leaf(uint64_t n)
{
	for (uint64_t i = 0; i < 8; i++)
		sink += n * i;
	return sink;
}

NOINLINE static uint64_t chain(int depth)
{
	uint64_t value = depth > 0 ? chain(depth - 1) : leaf(3);
	return value + (sink & 1);
}

/* CFA by rbp. */
NOINLINE static uint64_t variable(size_t bytes)
{
	volatile char *room = alloca(bytes);
	room[0] = (char)leaf(bytes);
	room[bytes - 1] = 1;
	return chain(2) + (uint64_t)room[0];
}

/* CFA by a saved pointer: the stack is realigned. */
NOINLINE static uint64_t realigned(uint64_t n)
{
	volatile char room[192] __attribute__((aligned(64)));
	volatile char *dynamic = alloca(n + 1);
	memset((char *)room, (int)n, sizeof room);
	dynamic[n] = room[5];
	return leaf((uint64_t)room[7]) + chain(1) + (uint64_t)dynamic[n];
}

/* A frame of more than 64 KB. */
NOINLINE static uint64_t wide(uint64_t n)
{
	volatile char room[200 * 1000];
	room[n] = 1;
	room[sizeof room - 1] = 2;
	return chain(1) + (uint64_t)room[n];
}

NOINLINE static void on_signal(int signal)
{
	sink += (uint64_t)signal + chain(1);
}

NOINLINE static int compare(const void *a, const void *b)
{
	leaf(1);
	return *(const int *)a - *(const int *)b;
}

NOINLINE static uint64_t through_library(void)
{
	int values[] = {3, 1, 2};

	qsort(values, 3, sizeof values[0], compare);
	return (uint64_t)values[0];
}

static ucontext_t outside, inside;

NOINLINE static void on_other_stack(void)
{
	sink += chain(3);
}

NOINLINE static void switch_stack(void)
{
	static char room[64 * 1024];

	getcontext(&inside);
	inside.uc_stack.ss_sp = room;
	inside.uc_stack.ss_size = sizeof room;
	inside.uc_link = &outside;
	makecontext(&inside, on_other_stack, 0);
	swapcontext(&outside, &inside);
}

NOINLINE static void jump(void)
{
	jmp_buf here;

	if (setjmp(here) == 0)
		longjmp(here, 1);
	leaf(2);
}

static void *in_thread(void *argument)
{
	sink += chain(2);
	return argument;
}

NOINLINE static void thread(void)
{
	pthread_t id;

	if (pthread_create(&id, NULL, in_thread, NULL) != 0 || pthread_join(id, NULL) != 0)
		abort();
}

int main(void)
{
	chain(5);
	variable(100);
	realigned(40);
	wide(10);
	through_library();
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	switch_stack();
	jump();
	if (getenv("WITH_THREAD") != NULL)
		thread();
	pid_t child = vfork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	printf("%d\n", (int)(sink & 1));
	return 0;
}
