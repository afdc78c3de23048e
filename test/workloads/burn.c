// SPDX-License-Identifier: Apache-2.0
/* Burns the given microseconds of CPU in the function BURN; then runs the rest of its arguments as a program, if there are any. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;

/* -DBURN=name gives programs that differ by their function, so that a stack says which one it belongs to. */
#ifndef BURN
#define BURN burn_here
#endif

void BURN(uint64_t until_ns)
{
	struct timespec now;

	do {
		for (int i = 0; i < 50000; i++)
			sink = sink * 6364136223846793005u + 1;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	} while ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec < until_ns);
}

int main(int argc, char **argv)
{
	struct timespec now;

	if (argc < 2)
		return 2;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	BURN((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + strtoull(argv[1], NULL, 10) * 1000);
	if (argc > 2) {
		execv(argv[2], argv + 2);
		return 1;
	}
	return 0;
}
