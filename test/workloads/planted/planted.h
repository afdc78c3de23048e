/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all programs with planted stacks share: five functions that burn CPU in known shares at the end of a chain of thirty
 * calls, and the truth about them, which the program writes of itself when it ends:
 *
 *   chain main drive level_01 … level_30     one line for each chain of callers below which planted functions run, root first
 *   total planted_alpha 123456789            nanoseconds of CPU in the function and what it calls, by the thread's own clock
 *
 * C and C++. Built with -DKEEP_FRAMES for a walk along frame pointers: gcc and clang leave the frame out of a function that
 * calls nobody, whatever they are told, unless it asks for its address.
 */
#ifndef PLANTED_H
#define PLANTED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __clang__
#define PLANTED __attribute__((noinline))
#else
#define PLANTED __attribute__((noinline, noclone, noipa))
#endif

#ifdef KEEP_FRAMES
#define FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))
#else
#define FRAME() ((void)0)
#endif

/* Thread-local, so that threads do not slow each other down. */
static __thread volatile uint64_t planted_sink;
static __thread uint64_t planted_seed = 88172645463325252u;

static inline uint64_t planted_random(void)
{
	planted_seed ^= planted_seed << 13;
	planted_seed ^= planted_seed >> 7;
	planted_seed ^= planted_seed << 17;
	return planted_seed;
}

static inline uint64_t planted_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* About half a millisecond: long against the two readings of the clock around a call. */
#ifndef PLANTED_UNIT
#define PLANTED_UNIT 200000
#endif

static inline void planted_burn(long turns)
{
	for (long i = 0; i < turns; i++)
		planted_sink = planted_sink * 6364136223846793005u + 1;
}

#define PLANTED_WORK(name)                                \
	PLANTED void name(int units)                      \
	{                                                 \
		FRAME();                                  \
		planted_burn((long)units * PLANTED_UNIT); \
	}

PLANTED_WORK(planted_alpha)
PLANTED_WORK(planted_beta)
PLANTED_WORK(planted_gamma)
PLANTED_WORK(planted_delta)
PLANTED_WORK(planted_epsilon)

typedef struct {
	const char *name;
	void (*call)(int units);
	int weight; /* percent of the calls */
} planted_function;

static planted_function planted_functions[] = {
	{ "planted_alpha", planted_alpha, 40 }, { "planted_beta", planted_beta, 25 },
	{ "planted_gamma", planted_gamma, 18 }, { "planted_delta", planted_delta, 12 },
	{ "planted_epsilon", planted_epsilon, 5 },
};

#define PLANTED_FUNCTIONS ((int)(sizeof(planted_functions) / sizeof(planted_functions[0])))

/* By function; and what a signal handler took, wherever it came. */
static uint64_t planted_ns[PLANTED_FUNCTIONS];
static volatile uint64_t planted_handler_ns;

/*
 * Calls one of the five, drawn so that no rhythm of the program meets that of the sampling, and books its time; what a
 * signal handler took meanwhile is the handler's.
 */
static inline uint64_t planted_run_drawn(void)
{
	int drawn = (int)(planted_random() % 100);
	int chosen = 0;

	while (drawn >= planted_functions[chosen].weight)
		drawn -= planted_functions[chosen++].weight;

	uint64_t handler_before = planted_handler_ns;
	uint64_t before = planted_cpu_ns();

	planted_functions[chosen].call(1 + (int)(planted_random() % 5));

	uint64_t took = planted_cpu_ns() - before - (planted_handler_ns - handler_before);

	__atomic_fetch_add(&planted_ns[chosen], took, __ATOMIC_RELAXED);
	return planted_sink;
}

/* A call that is not the last thing its function does, so that no compiler makes a jump of it. */
#define PLANTED_LEVEL(this_one, next_one)                    \
	PLANTED uint64_t this_one(uint64_t n)                \
	{                                                    \
		uint64_t got = next_one(n + 1);              \
		return got + (planted_sink & 1) + n;         \
	}

PLANTED uint64_t level_30(uint64_t n)
{
	return planted_run_drawn() + n;
}
PLANTED_LEVEL(level_29, level_30)
PLANTED_LEVEL(level_28, level_29)
PLANTED_LEVEL(level_27, level_28)
PLANTED_LEVEL(level_26, level_27)
PLANTED_LEVEL(level_25, level_26)
PLANTED_LEVEL(level_24, level_25)
PLANTED_LEVEL(level_23, level_24)
PLANTED_LEVEL(level_22, level_23)
PLANTED_LEVEL(level_21, level_22)
PLANTED_LEVEL(level_20, level_21)
PLANTED_LEVEL(level_19, level_20)
PLANTED_LEVEL(level_18, level_19)
PLANTED_LEVEL(level_17, level_18)
PLANTED_LEVEL(level_16, level_17)
PLANTED_LEVEL(level_15, level_16)
PLANTED_LEVEL(level_14, level_15)
PLANTED_LEVEL(level_13, level_14)
PLANTED_LEVEL(level_12, level_13)
PLANTED_LEVEL(level_11, level_12)
PLANTED_LEVEL(level_10, level_11)
PLANTED_LEVEL(level_09, level_10)
PLANTED_LEVEL(level_08, level_09)
PLANTED_LEVEL(level_07, level_08)
PLANTED_LEVEL(level_06, level_07)
PLANTED_LEVEL(level_05, level_06)
PLANTED_LEVEL(level_04, level_05)
PLANTED_LEVEL(level_03, level_04)
PLANTED_LEVEL(level_02, level_03)
PLANTED_LEVEL(level_01, level_02)

static inline FILE *planted_truth_open(const char *file)
{
	FILE *truth = fopen(file, "a");

	if (!truth) {
		perror(file);
		exit(1);
	}
	return truth;
}

/* `callers` root first, down to who calls level_01. */
static inline void planted_truth_chain(FILE *truth, const char *callers)
{
	fprintf(truth, "chain %s", callers);
	for (int level = 1; level <= 30; level++)
		fprintf(truth, " level_%02d", level);
	fprintf(truth, "\n");
}

static inline void planted_truth_totals(FILE *truth)
{
	for (int i = 0; i < PLANTED_FUNCTIONS; i++)
		fprintf(truth, "total %s %llu\n", planted_functions[i].name, (unsigned long long)planted_ns[i]);
}

/* Ends the program when the truth cannot be written: a test must not judge by half of it. */
static inline int planted_truth_close(FILE *truth)
{
	if (fclose(truth) != 0)
		abort();
	return 0;
}

#endif
