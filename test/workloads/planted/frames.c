// SPDX-License-Identifier: Apache-2.0
/*
 * Frames of all shapes above the chain: `frames SECONDS TRUTH [DEPTH]`. More than 64 KB, of a size known only at run time,
 * realigned, called back by a library, called through a lazily bound PLT in a hot loop, and DEPTH times a recursion.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <string.h>
#include "planted.h"

static int depth = 60;

PLANTED uint64_t wide_frame(uint64_t n)
{
	volatile char room[300 * 1000];

	room[n] = 1;
	room[sizeof(room) - 1] = 2;
	return level_01(n) + (uint64_t)room[n];
}

PLANTED uint64_t variable_frame(uint64_t n)
{
	volatile char *room = alloca(100 + n * 8);

	room[n] = 1;
	return level_01(n) + (uint64_t)room[n];
}

PLANTED uint64_t realigned_frame(uint64_t n)
{
	volatile char room[192] __attribute__((aligned(64)));
	volatile char *dynamic = alloca(n + 1);

	memset((char *)room, (int)n, sizeof(room));
	dynamic[n] = room[5];
	return level_01(n) + (uint64_t)dynamic[n] + (uint64_t)room[7];
}

PLANTED int compare(const void *a, const void *b)
{
	level_01(1);
	return *(const int *)a - *(const int *)b;
}

PLANTED uint64_t called_back(uint64_t n)
{
	int values[] = { 2, 1 };

	qsort(values, 2, sizeof(values[0]), compare);
	return (uint64_t)values[0] + n;
}

PLANTED uint64_t recurse(uint64_t n)
{
	return (n > 1 ? recurse(n - 1) : level_01(0)) + (planted_sink & 1);
}

/* Half of its time in the PLT and in a function of libc that is a few instructions long. */
PLANTED void planted_linkage(int units)
{
	FRAME();
	for (int i = 0; i < units * 100000; i++)
		planted_sink += (uint64_t)labs((long)planted_sink);
}

PLANTED void drive(uint64_t until)
{
	for (uint64_t n = 0; planted_cpu_ns() < until; n++) {
		switch (n % 5) {
		case 0: wide_frame(planted_random() % 1000); break;
		case 1: variable_frame(planted_random() % 1000); break;
		case 2: realigned_frame(planted_random() % 1000); break;
		case 3: called_back(n); break;
		default: recurse((uint64_t)depth); break;
		}
	}
}

int main(int argc, char **argv)
{
	static char callers[64 * 1024] = "main drive";
	FILE *truth;

	if (argc != 3 && argc != 4)
		return 2;
	if (argc == 4)
		depth = atoi(argv[3]);
	if (depth < 1 || depth > 4000)
		return 2;
	planted_functions[3] = (planted_function){ "planted_linkage", planted_linkage, 12 };
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "main drive wide_frame");
	planted_truth_chain(truth, "main drive variable_frame");
	planted_truth_chain(truth, "main drive realigned_frame");
	/* qsort's own frames are the library's affair. */
	planted_truth_chain(truth, "main drive called_back * compare");
	for (int i = 0; i < depth; i++)
		strcat(callers, " recurse");
	planted_truth_chain(truth, callers);
	planted_truth_totals(truth);
	return planted_truth_close(truth);
}
