// SPDX-License-Identifier: Apache-2.0
/*
 * A PID that runs one program after another: `SELF ROUNDS TRUTH OTHER` works for about 20 ms in the function that WORK names,
 * books that, and executes OTHER with the two programs exchanged, until no round is left.
 */
#include <unistd.h>
#include "planted.h"

PLANTED void WORK(int units)
{
	FRAME();
	planted_burn((long)units * PLANTED_UNIT);
}

#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)

int main(int argc, char **argv)
{
	uint64_t before = planted_cpu_ns();
	char rounds[16];
	FILE *truth;

	if (argc != 4)
		return 2;
	WORK(40);
	truth = planted_truth_open(argv[2]);
	fprintf(truth, "chain main\ntotal %s %llu\n", TEXT(WORK), (unsigned long long)(planted_cpu_ns() - before));
	planted_truth_close(truth);
	snprintf(rounds, sizeof(rounds), "%d", atoi(argv[1]) - 1);
	if (atoi(argv[1]) > 1)
		execl(argv[3], argv[3], rounds, argv[2], argv[0], (char *)NULL);
	return atoi(argv[1]) > 1 ? 1 : 0;
}
