// SPDX-License-Identifier: Apache-2.0
/*
 * Moves its own text to anonymous memory, as programs do that want it on huge pages, and runs the chain there:
 * `huge-text SECONDS TRUTH`. Addresses stay what they were; the mapping is no file's any more.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>
#include "planted.h"

/* Stands apart, and calls nothing of the text between the copy and the move that is not there in both. */
static void move_text(void)
{
	unsigned long from = 0, to = 0;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	void *copy;

	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char rights[5];

		if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3 && rights[2] == 'x' &&
		    start <= (unsigned long)level_01 && (unsigned long)level_01 < end)
			from = start, to = end;
	}
	if (!maps || !from)
		abort();
	fclose(maps);
	copy = mmap(NULL, to - from, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		abort();
	madvise(copy, to - from, MADV_HUGEPAGE);
	memcpy(copy, (void *)from, to - from);
	if (mremap(copy, to - from, to - from, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)from) != (void *)from)
		abort();
	mprotect((void *)from, to - from, PROT_READ | PROT_EXEC);
}

PLANTED void drive(uint64_t until)
{
	while (planted_cpu_ns() < until)
		level_01(0);
}

int main(int argc, char **argv)
{
	FILE *truth;

	if (argc != 3)
		return 2;
	move_text();
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "main drive");
	planted_truth_totals(truth);
	return planted_truth_close(truth);
}
