// SPDX-License-Identifier: Apache-2.0
/*
 * Busy threads: `threads SECONDS TRUTH COUNT`. All run the chain until the process has used the seconds of CPU; the truth is
 * also what the process used as a whole.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include "planted.h"

static uint64_t until;

static uint64_t process_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

PLANTED void *thread_main(void *seed)
{
	planted_seed ^= (uint64_t)(uintptr_t)seed * 2654435761u;
	while (process_ns() < until)
		level_01(0);
	return seed;
}

int main(int argc, char **argv)
{
	pthread_attr_t attributes;
	pthread_t *threads;
	FILE *truth;
	int count;

	if (argc != 4)
		return 2;
	count = atoi(argv[3]);
	until = (uint64_t)(atof(argv[1]) * 1e9);
	threads = calloc((size_t)count, sizeof(*threads));
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 128 * 1024);
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], &attributes, thread_main, (void *)(i + 1)) != 0)
			return 1;
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "thread_main");
	planted_truth_totals(truth);
	fprintf(truth, "process %llu\n", (unsigned long long)process_ns());
	return planted_truth_close(truth);
}
