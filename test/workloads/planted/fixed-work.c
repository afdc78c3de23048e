// SPDX-License-Identifier: Apache-2.0
/* The same work each time, at the end of the thirty calls: `fixed-work ROUNDS` prints the nanoseconds of CPU and of wall time. */
#define PLANTED_UNIT 20000
#include "planted.h"

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
	uint64_t began = wall_ns();

	if (argc != 2)
		return 2;
	for (long left = atol(argv[1]); left > 0; left--)
		level_01(0);
	printf("%llu %llu\n", (unsigned long long)planted_cpu_ns(), (unsigned long long)(wall_ns() - began));
	return 0;
}
