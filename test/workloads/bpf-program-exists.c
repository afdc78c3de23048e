// SPDX-License-Identifier: Apache-2.0
/* Exit code 0 when the kernel has a BPF program of the given id, 1 when it has none, 2 when it does not say. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union bpf_attr attr;

	if (argc != 2)
		return 2;
	memset(&attr, 0, sizeof(attr));
	attr.prog_id = (unsigned int)strtoul(argv[1], NULL, 10);
	if (syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr)) >= 0)
		return 0;
	return errno == ENOENT ? 1 : 2;
}
