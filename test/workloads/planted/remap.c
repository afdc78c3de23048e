// SPDX-License-Identifier: Apache-2.0
/*
 * Code over code: maps the executable segment of one library.c, runs it, maps that of another over it with MAP_FIXED, and so
 * on. `remap SECONDS TRUTH OFFSET SIZE ENTRY LIBRARY...`: file offset and size of the segment and the
 * offset of its entry in it, in hexadecimal, the same in all libraries.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "planted.h"

#define MOST 16

static uint64_t library_ns[MOST];
static int files[MOST];
static int count;
static unsigned long offset, size, entry;
static void *place;

PLANTED void run_mapped(int which)
{
	uint64_t (*call)(int);
	uint64_t before;

	if (mmap(place, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, files[which], (off_t)offset) != place)
		abort();
	*(void **)&call = (char *)place + entry;
	before = planted_cpu_ns();
	planted_sink += call(4 + (int)(planted_random() % 8));
	library_ns[which] += planted_cpu_ns() - before;
}

PLANTED void drive(uint64_t until)
{
	while (planted_cpu_ns() < until)
		run_mapped((int)(planted_random() % (uint64_t)count));
}

int main(int argc, char **argv)
{
	FILE *truth;

	if (argc < 7 || argc > 6 + MOST)
		return 2;
	offset = strtoul(argv[3], NULL, 16);
	size = strtoul(argv[4], NULL, 16);
	entry = strtoul(argv[5], NULL, 16);
	count = argc - 6;
	for (int i = 0; i < count; i++)
		if ((files[i] = open(argv[6 + i], O_RDONLY)) < 0)
			return 1;
	place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED)
		return 1;
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	for (int i = 0; i < count; i++) {
		fprintf(truth, "chain main drive run_mapped library_entry library_inner_%d\n", i);
		fprintf(truth, "total planted_library_%d %llu\n", i, (unsigned long long)library_ns[i]);
	}
	return planted_truth_close(truth);
}
