// SPDX-License-Identifier: Apache-2.0
/*
 * A storm of short processes: `storm SECONDS PER_SECOND TRUTH COMMAND...` runs the commands in turn (each one argument, split at
 * spaces), each at its time, one after the other, and writes one line for each child:
 *
 *   child PID COMMAND_NUMBER MICROSECONDS_OF_CPU
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_COMMANDS 16
#define MOST_WORDS 16

static char *commands[MOST_COMMANDS][MOST_WORDS + 1];

static void split(char *command, char **words)
{
	int count = 0;

	for (char *word = strtok(command, " "); word && count < MOST_WORDS; word = strtok(NULL, " "))
		words[count++] = word;
}

static long long microseconds(struct timeval time)
{
	return (long long)time.tv_sec * 1000000 + time.tv_usec;
}

static pid_t start(char **words, int nowhere)
{
	pid_t child = vfork();

	if (child == 0) {
		dup2(nowhere, 1);
		execv(words[0], words);
		_exit(127);
	}
	return child;
}

int main(int argc, char **argv)
{
	long per_second = argc > 4 ? atol(argv[2]) : 0;
	long children = per_second > 0 ? (long)(atof(argv[1]) * (double)per_second) : 0;
	int count = argc - 4;
	int nowhere = open("/dev/null", O_WRONLY);
	struct timespec next;
	FILE *truth;

	if (children < 1 || count < 1 || count > MOST_COMMANDS)
		return 2;
	for (int i = 0; i < count; i++)
		split(argv[4 + i], commands[i]);
	truth = fopen(argv[3], "w");
	if (!truth)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (long i = 0; i < children; i++) {
		struct rusage usage;
		int status;
		pid_t child = start(commands[i % count], nowhere);

		if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
			return 3;
		fprintf(truth, "child %d %ld %lld\n", (int)child, i % count,
			microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
		next.tv_nsec += 1000000000 / per_second;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return fclose(truth) == 0 ? 0 : 1;
}
