// SPDX-License-Identifier: Apache-2.0
/* Burns the given microseconds of CPU in `burn_here`; then runs the rest of its arguments as a program, if there are any. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;

void burn_here(uint64_t until_ns)
{
	struct timespec now;

	do {
		for (int i = 0; i < 2000; i++)
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
	burn_here((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + strtoull(argv[1], NULL, 10) * 1000);
	if (argc > 2) {
		execv(argv[2], argv + 2);
		return 1;
	}
	return 0;
}
