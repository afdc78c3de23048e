// SPDX-License-Identifier: Apache-2.0
/* The plain chain: `chain SECONDS TRUTH`. */
#include "planted.h"

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
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "main drive");
	planted_truth_totals(truth);
	return planted_truth_close(truth);
}
