// SPDX-License-Identifier: Apache-2.0
/* Copies code, maps anonymous memory over it, and copies it back. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void move_text(char *start, size_t size, unsigned pause_us)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	char *from = (char *)((uintptr_t)start & ~(page - 1));
	size_t whole = ((size_t)(start - from) + size + page - 1) & ~(page - 1);
	char *saved = malloc(whole);

	memcpy(saved, from, whole);
	if (mmap(from, whole, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != from)
		abort();
	madvise(from, whole, MADV_HUGEPAGE);
	if (pause_us > 0)
		usleep(pause_us);
	memcpy(from, saved, whole);
	if (mprotect(from, whole, PROT_READ | PROT_EXEC) != 0)
		abort();
	free(saved);
}
