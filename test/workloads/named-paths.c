// SPDX-License-Identifier: Apache-2.0
/*
 * Walks down one of 2^LEVELS paths of calls after the other and spends a little CPU at its end; before each the thread takes the path's number
 * as its name. So each sample says by its name which stack it must have.
 *
 *   named-paths MILLISECONDS LEVELS PATHS-PER-ROUND MICROSECONDS-PER-PATH
 *
 * Paths are drawn from a few in each round, and other ones in the next, so that stacks come again and others come.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static volatile uint64_t sink;
static int levels;

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((noinline)) void bottom(uint64_t until_ns)
{
	do {
		for (int i = 0; i < 5000; i++)
			sink = sink * 6364136223846793005u + 1;
	} while (cpu_ns() < until_ns);
}

static void walk(unsigned path, int level, uint64_t until_ns);

__attribute__((noinline)) void zero(unsigned path, int level, uint64_t until_ns)
{
	walk(path, level, until_ns);
	sink++;
}

__attribute__((noinline)) void one(unsigned path, int level, uint64_t until_ns)
{
	walk(path, level, until_ns);
	sink++;
}

/* Inlined into both, so that nothing but they is on the path. */
static inline __attribute__((always_inline)) void walk(unsigned path, int level, uint64_t until_ns)
{
	if (level == levels)
		bottom(until_ns);
	else if (path >> level & 1)
		one(path, level + 1, until_ns);
	else
		zero(path, level + 1, until_ns);
	sink++;
}

int main(int argc, char **argv)
{
	unsigned seed = 1, round_paths;
	uint64_t end_ns, slice_ns;
	char name[16];

	if (argc < 5)
		return 2;
	end_ns = cpu_ns() + strtoull(argv[1], NULL, 10) * 1000000;
	levels = atoi(argv[2]);
	round_paths = atoi(argv[3]);
	slice_ns = strtoull(argv[4], NULL, 10) * 1000;
	for (unsigned turn = 0; cpu_ns() < end_ns; turn++) {
		/* 512 turns a round. */
		unsigned drawn = (turn >> 9) * round_paths + rand_r(&seed) % round_paths;
		/* An odd factor: neighbouring numbers become paths that part at any level. */
		unsigned path = (drawn * 2654435761u) >> (32 - levels);

		snprintf(name, sizeof(name), "path%u", path);
		prctl(PR_SET_NAME, name);
		zero(path, 0, cpu_ns() + slice_ns);
	}
	return 0;
}
