// SPDX-License-Identifier: Apache-2.0
/*
 * Five functions with known shares of the CPU. Takes the CPU seconds to burn and a file for the truth: what each function
 * took by the thread's CPU clock, one `name nanoseconds` a line, written at the end. Which one is called next is drawn, so
 * that no rhythm of the program meets the rhythm of the sampling.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile uint64_t sink;
static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* About a millisecond a unit: long against the two readings of the clock around it. */
#define UNIT 400000

/*
 * gcc leaves the frame out of a function that calls nobody, whatever it is told; asking for its address keeps it. Without
 * it the caller would be missing from what a walk along frame pointers finds.
 */
#define KEEP_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))

#define WORK(name)                                              \
	void name(int units)                                    \
	{                                                       \
		KEEP_FRAME();                                   \
		for (long i = 0; i < (long)units * UNIT; i++)   \
			sink = sink * 6364136223846793005u + 1; \
	}

WORK(alpha)
WORK(beta)
WORK(gamma_)
WORK(delta)
WORK(epsilon)

/* Weights add up to 100 with this one; a version in which beta is dearer has more. */
#ifndef BETA_WEIGHT
#define BETA_WEIGHT 25
#endif
#define ALL_WEIGHTS (75 + BETA_WEIGHT)

static struct {
	const char *name;
	void (*call)(int units);
	int weight;
	uint64_t ns;
} functions[] = {
	{ "alpha", alpha, 40, 0 }, { "beta", beta, BETA_WEIGHT, 0 },	  { "gamma_", gamma_, 18, 0 },
	{ "delta", delta, 12, 0 }, { "epsilon", epsilon, 5, 0 },
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

void drive(uint64_t until)
{
	while (cpu_ns() < until) {
		int drawn = (int)(next_random() % ALL_WEIGHTS);
		size_t chosen = 0;

		while (drawn >= functions[chosen].weight)
			drawn -= functions[chosen++].weight;

		uint64_t before = cpu_ns();

		functions[chosen].call(1 + (int)(next_random() % 5));
		functions[chosen].ns += cpu_ns() - before;
	}
}

int main(int argc, char **argv)
{
	FILE *truth;

	if (argc != 3)
		return 2;
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = fopen(argv[2], "w");
	if (!truth)
		return 1;
	for (size_t i = 0; i < FUNCTIONS; i++)
		fprintf(truth, "%s %llu\n", functions[i].name, (unsigned long long)functions[i].ns);
	return fclose(truth) == 0 ? 0 : 1;
}
