/*
 * The few helpers of the kernel that the unwinder in bpf/ calls, for a program in user space: maps are what walk-vectors.c has read, and the
 * memory of the program that is unwound is a list of words.
 */
#ifndef BPF_HELPERS_SHIM_H
#define BPF_HELPERS_SHIM_H

#include <string.h>

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#define __array(name, value) typeof(value) *name[]
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))

extern void *shim_lookup(void *map, const void *key);
extern long shim_read_user(void *to, __u32 size, __u64 from);

static inline void *bpf_map_lookup_elem(void *map, const void *key)
{
	return shim_lookup(map, key);
}

static inline long bpf_probe_read_user(void *to, __u32 size, const void *from)
{
	return shim_read_user(to, size, (__u64)from);
}

static inline long bpf_probe_read_kernel(void *to, __u32 size, const void *from)
{
	memcpy(to, from, size);
	return 0;
}

static inline __u32 bpf_get_smp_processor_id(void)
{
	return 0;
}

#endif
