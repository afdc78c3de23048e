// SPDX-License-Identifier: Apache-2.0
/* The main thread exits at once; another one, named `survivor`, burns CPU in `outlive` until a file is gone. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static volatile uint64_t sink;

void outlive(const char *file)
{
	do {
		for (int i = 0; i < 1000000; i++)
			sink = sink * 6364136223846793005u + 1;
	} while (access(file, F_OK) == 0);
}

static void *survive(void *file)
{
	pthread_setname_np(pthread_self(), "survivor");
	outlive(file);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 2 || pthread_create(&thread, NULL, survive, argv[1]) != 0)
		return 1;
	pthread_exit(NULL);
}
