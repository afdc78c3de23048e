// SPDX-License-Identifier: Apache-2.0
/*
 * Loads and unloads libraries in a loop, below the thirty calls: `libraries SECONDS TRUTH LIBRARY...`, each a library.c with
 * NUMBER 0, 1, … in order. In turn a library gets an address that another one has just left, or, with a page in the way, a
 * new one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/mman.h>
#include "planted.h"

#define MOST 16

static uint64_t library_ns[MOST];
static char **files;
static int count;

PLANTED void run_library(int which)
{
	void *library = dlopen(files[which], RTLD_NOW | RTLD_LOCAL);
	uint64_t (*entry)(int);
	uint64_t before;

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		abort();
	}
	*(void **)&entry = dlsym(library, "library_entry");
	before = planted_cpu_ns();
	planted_sink += entry(4 + (int)(planted_random() % 8));
	library_ns[which] += planted_cpu_ns() - before;
	dlclose(library);
}

PLANTED void drive(uint64_t until)
{
	void *in_the_way = MAP_FAILED;
	size_t size = 0;

	for (int turn = 0; planted_cpu_ns() < until; turn++) {
		run_library((int)(planted_random() % (uint64_t)count));
		if (turn % 8 == 7) {
			if (in_the_way != MAP_FAILED)
				munmap(in_the_way, size);
			size = 4096u * (1 + planted_random() % 64);
			in_the_way = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		}
	}
}

int main(int argc, char **argv)
{
	FILE *truth;

	if (argc < 4 || argc > 3 + MOST)
		return 2;
	files = argv + 3;
	count = argc - 3;
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	for (int i = 0; i < count; i++) {
		fprintf(truth, "chain main drive run_library library_entry library_inner_%d\n", i);
		fprintf(truth, "total planted_library_%d %llu\n", i, (unsigned long long)library_ns[i]);
	}
	return planted_truth_close(truth);
}
