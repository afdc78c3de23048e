// SPDX-License-Identifier: Apache-2.0
/* Spends the given milliseconds of CPU below the given number of frames of `descend`, each with a little of its own on the stack. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static volatile uint64_t sink;

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((noinline)) void bottom(uint64_t until_ns)
{
	do {
		for (int i = 0; i < 20000; i++)
			sink = sink * 6364136223846793005u + 1;
	} while (cpu_ns() < until_ns);
}

__attribute__((noinline)) uint64_t descend(int frames, uint64_t until_ns)
{
	volatile uint64_t own[4] = { frames };

	if (frames == 0)
		bottom(until_ns);
	else
		own[1] = descend(frames - 1, until_ns);
	return own[0] + own[1];
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	descend(atoi(argv[2]), cpu_ns() + strtoull(argv[1], NULL, 10) * 1000000);
	return 0;
}
