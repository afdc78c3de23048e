// SPDX-License-Identifier: Apache-2.0
/*
 * Runs programs one after the other: `spawn-many COUNT PROGRAM... -- ARGUMENT...` starts COUNT processes, taking the programs
 * in turn, each with the arguments. Prints for each program its path and the user and system CPU of its runs in µs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_PROGRAMS 64

static uint64_t microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

int main(int argc, char **argv)
{
	uint64_t used[MOST_PROGRAMS] = { 0 };
	int programs = 0;

	if (argc < 4)
		return 2;
	while (2 + programs < argc && strcmp(argv[2 + programs], "--") != 0)
		programs++;
	if (2 + programs >= argc || programs > MOST_PROGRAMS)
		return 2;
	for (int i = 0; i < atoi(argv[1]); i++) {
		int program = i % programs;
		struct rusage usage;
		pid_t child = fork();

		if (child == 0) {
			argv[2 + programs] = argv[2 + program];
			execv(argv[2 + program], argv + 2 + programs);
			_exit(127);
		}
		if (child < 0 || wait4(child, NULL, 0, &usage) != child)
			return 1;
		used[program] += microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	}
	for (int program = 0; program < programs; program++)
		printf("%s %llu\n", argv[2 + program], (unsigned long long)used[program]);
	return 0;
}
