// SPDX-License-Identifier: Apache-2.0
/* Is nearly always in the kernel, filling memory with zeroes below two calls: `syscalls SECONDS`. */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char room[1 << 20];

__attribute__((noinline)) long fill(int file)
{
	return read(file, room, sizeof(room)) + 1;
}

__attribute__((noinline)) long fill_often(int file)
{
	long sum = 0;

	for (int i = 0; i < 100; i++)
		sum += fill(file);
	return sum;
}

int main(int argc, char **argv)
{
	int file = open("/dev/zero", O_RDONLY);
	clock_t end;

	if (argc != 2 || file < 0)
		return 2;
	end = clock() + (clock_t)(atof(argv[1]) * CLOCKS_PER_SEC);
	while (clock() < end)
		if (fill_often(file) < 0)
			return 1;
	return 0;
}
