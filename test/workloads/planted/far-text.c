// SPDX-License-Identifier: Apache-2.0
/* The chain in an executable whose text is more than 500 MB long: the first planted function stands at its very end. */
#include "planted.h"

/* A page of zeros costs nothing on disk in a file with holes. Sections of the linker's default script keep this order. */
__asm__(".section .text.a_padding, \"ax\", @progbits\n.skip 524288000\n.text\n");

__attribute__((section(".text.z_last"))) PLANTED void planted_far(int units)
{
	FRAME();
	planted_burn((long)units * PLANTED_UNIT);
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
	planted_functions[0] = (planted_function){ "planted_far", planted_far, 40 };
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "main drive");
	planted_truth_totals(truth);
	return planted_truth_close(truth);
}
