// SPDX-License-Identifier: Apache-2.0
/*
 * vfork, work in the child on the parent's stack, exec or exit: `vfork SECONDS TRUTH PROGRAM`. The seconds are those of the
 * children that ran before their exec, which end in PROGRAM by turns.
 */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>
#include "planted.h"

static char *program;
static volatile uint64_t child_ns;

PLANTED void planted_child(int units)
{
	FRAME();
	planted_burn((long)units * PLANTED_UNIT);
}

PLANTED uint64_t in_child(int turn)
{
	planted_child(4);
	/* The child's whole time so far: it shares the memory, not the clock. */
	child_ns += planted_cpu_ns();
	if (turn % 2)
		execl(program, program, (char *)NULL);
	_exit(turn % 2 ? 127 : 0);
	return planted_sink;
}

PLANTED void spawn(int turn)
{
	int status;
	pid_t child = vfork();

	if (child == 0)
		in_child(turn);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		abort();
}

PLANTED void drive(uint64_t until)
{
	for (int turn = 0; child_ns < until; turn++)
		spawn(turn);
}

int main(int argc, char **argv)
{
	FILE *truth;

	if (argc != 4)
		return 2;
	program = argv[3];
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	fprintf(truth, "chain main drive spawn in_child\n");
	fprintf(truth, "total planted_child %llu\n", (unsigned long long)child_ns);
	return planted_truth_close(truth);
}
