// SPDX-License-Identifier: Apache-2.0
/* Executes a copy of a program that is in no directory, only in a memfd of its name: `run-memfd PROGRAM ARGUMENT...`. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	int from = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	int to = from < 0 ? -1 : memfd_create(basename(argv[1]), MFD_CLOEXEC);
	struct stat status;

	if (to < 0 || fstat(from, &status) != 0)
		return 2;
	while (status.st_size > 0) {
		ssize_t copied = sendfile(to, from, NULL, (size_t)status.st_size);

		if (copied <= 0)
			return 3;
		status.st_size -= copied;
	}
	fexecve(to, argv + 1, environ);
	perror("fexecve");
	return 1;
}
