// SPDX-License-Identifier: Apache-2.0
/*
 * The chain, whose program moves its own text to anonymous memory at the same place once it runs, as programs do that want it in huge pages:
 * `move-text SECONDS TRUTH PAUSE`. PAUSE: microseconds between the mapping and the copy. Linked with mover.c as a library, since nothing of the text can run
 * meanwhile.
 */
#define _GNU_SOURCE
#include <link.h>
#include "planted.h"

void move_text(char *start, size_t size, unsigned pause_us);

static int move(struct dl_phdr_info *program, size_t size, void *pause_us)
{
	(void)size;
	for (int i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &program->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X))
			move_text((char *)program->dlpi_addr + segment->p_vaddr, segment->p_memsz, *(unsigned *)pause_us);
	}
	/* The first is the program itself. */
	return 1;
}

PLANTED void drive(uint64_t until)
{
	while (planted_cpu_ns() < until)
		level_01(0);
}

int main(int argc, char **argv)
{
	uint64_t whole_ns;
	unsigned pause_us;
	FILE *truth;

	if (argc != 4)
		return 2;
	whole_ns = (uint64_t)(atof(argv[1]) * 1e9);
	pause_us = (unsigned)atoi(argv[3]);
	drive(whole_ns / 8);
	dl_iterate_phdr(move, &pause_us);
	drive(whole_ns);
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "main drive");
	planted_truth_totals(truth);
	return planted_truth_close(truth);
}
