// SPDX-License-Identifier: Apache-2.0
/*
 * A shared library with a chain of its own; compiled several times, NUMBER tells them apart. It has no data, so that its
 * executable segment works at any address all by itself.
 */
#define PLANTED_UNIT 200000
#ifdef __clang__
#define PLANTED __attribute__((noinline))
#else
#define PLANTED __attribute__((noinline, noclone, noipa))
#endif
#ifdef KEEP_FRAMES
#define FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))
#else
#define FRAME() ((void)0)
#endif

typedef unsigned long u64;

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define WORK JOIN(planted_library_, NUMBER)
#define INNER JOIN(library_inner_, NUMBER)

/* Hidden: a call within the segment, not through a table. */
#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN PLANTED u64 WORK(int units)
{
	volatile u64 sink = 0;

	FRAME();
	for (long i = 0; i < (long)units * PLANTED_UNIT; i++)
		sink = sink * 6364136223846793005u + 1;
	return sink;
}

HIDDEN PLANTED u64 INNER(int units)
{
	return WORK(units) + (u64)units;
}

PLANTED u64 library_entry(int units)
{
	return INNER(units) + (u64)units;
}
