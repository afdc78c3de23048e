/*
 * The unwinder of bpf/, compiled for user space: reads vectors from standard input and prints the stack of each. Numbers are hexadecimal, words of
 * 64 bits, separated by white space. Compiled for the architecture of the vectors, not of this machine.
 *
 *   bytes of a word, pc, registers (EF_REGISTERS), mappings: count, then start, end, bias, slot, kind, table_flags, page_count of each;
 *   tables: count, then of each the number of its elements and those; memory: count, then address and word of each.
 *
 * Answer: end, guessed_from, number of frames, frames.
 */
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>

#define BPF_MAP_TYPE_ARRAY 0
#define BPF_MAP_TYPE_RINGBUF 0
#define BPF_MAP_TYPE_PERCPU_ARRAY 0
#define BPF_MAP_TYPE_HASH 0
#define BPF_MAP_TYPE_ARRAY_OF_MAPS 0
#define BPF_F_NO_PREALLOC 0
#define BPF_F_INNER_MAP 0

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "unwind-abi.h"

/* What registers.h is about, without the kernel's own: numbers of registers. */
#if defined(__TARGET_ARCH_x86)
#define REGISTER_FP 6
#define REGISTER_SP 7
#define REGISTER_RBX 3
#else
#define REGISTER_FP 29
#define REGISTER_SP 31
#define REGISTER_RA 30
#endif
struct user_registers {
	__u64 unused;
};

#include "maps.h"
#include "table.h"
#include "step.h"
#include "v8.h"

#include "python.h"
#include "walk.h"

#define MOST_TABLES 128
#define MOST_PARTS 29
#define MOST_WORDS 65536

struct inner {
	__u32 chunks;
	struct chunk *values;
};

static struct scratch the_scratch;
static struct process parts[MOST_PARTS];
static __u32 part_count;
static struct inner inners[MOST_TABLES];
static __u32 table_count;
static struct {
	__u64 address, word;
} memory[MOST_WORDS];
static __u32 word_count, word_bytes;

void *shim_lookup(void *map, const void *key)
{
	__u32 index = *(const __u32 *)key;

	if (map == (void *)&scratches)
		return &the_scratch;
	if (map == (void *)&processes) {
		const struct ef_process_key *process = key;

		return process->pid == 1 && process->part < part_count ? &parts[process->part] : NULL;
	}
	if (map == (void *)&tables)
		return index < table_count ? &inners[index] : NULL;
	for (__u32 i = 0; i < table_count; i++)
		if (map == &inners[i])
			return index < inners[i].chunks ? &inners[i].values[index] : NULL;
	return NULL;
}

static int compare_words(const void *one, const void *other)
{
	__u64 a = *(const __u64 *)one, b = *(const __u64 *)other;

	return a < b ? -1 : a > b;
}

/* Word by word, as the vectors have it: a larger read succeeds where all of its words are there. Little-endian. */
long shim_read_user(void *to, __u32 size, __u64 from)
{
	for (__u32 at = 0; at < size; at += word_bytes) {
		__u64 address = from + at;
		__u64 *found = bsearch(&address, memory, word_count, sizeof(memory[0]), compare_words);

		if (!found)
			return -14;
		memcpy((char *)to + at, found + 1, word_bytes);
	}
	return 0;
}

static __u64 next(void)
{
	unsigned long long value;

	if (scanf("%llx", &value) != 1) {
		fprintf(stderr, "a number is missing\n");
		exit(2);
	}
	return value;
}

static void read_mapping(struct ef_mapping *mapping)
{
	mapping->start = next();
	mapping->end = next();
	mapping->bias = next();
	mapping->slot = next();
	mapping->kind = next();
	mapping->table_flags = next();
	mapping->page_count = next();
}

/* As packages/agent/src/tables/process-entries.ts lays them out. */
static void read_mappings(void)
{
	__u32 count = next();

	memset(parts, 0, sizeof(parts));
	if (count <= EF_PART_MAPPINGS) {
		part_count = 1;
		parts[0].head.mapping_count = count;
		for (__u32 i = 0; i < count; i++)
			read_mapping(&parts[0].mappings[i]);
		return;
	}
	part_count = 1 + (count + EF_PART_MAPPINGS - 1) / EF_PART_MAPPINGS;
	parts[0].head.mapping_count = part_count - 1;
	for (__u32 i = 0; i < count; i++) {
		struct process *part = &parts[1 + i / EF_PART_MAPPINGS];
		struct ef_mapping *entry = &parts[0].mappings[i / EF_PART_MAPPINGS];
		struct ef_mapping *mapping = &part->mappings[part->head.mapping_count++];

		read_mapping(mapping);
		if (i % EF_PART_MAPPINGS == 0)
			entry->start = mapping->start;
		entry->end = mapping->end;
		entry->slot = 1 + i / EF_PART_MAPPINGS;
		entry->kind = EF_MAPPING_PART;
	}
}

static void read_tables(void)
{
	for (__u32 i = 0; i < table_count; i++)
		free(inners[i].values);
	table_count = next();
	for (__u32 i = 0; i < table_count; i++) {
		__u32 elements = next();

		inners[i].chunks = (elements + EF_UNWIND_CHUNK_ELEMENTS - 1) / EF_UNWIND_CHUNK_ELEMENTS;
		inners[i].values = calloc(inners[i].chunks + 1, sizeof(struct chunk));
		for (__u32 element = 0; element < elements; element++)
			inners[i].values[element / EF_UNWIND_CHUNK_ELEMENTS].elements[element % EF_UNWIND_CHUNK_ELEMENTS] =
				next();
	}
}

int main(void)
{
	while (scanf("%x", &word_bytes) == 1) {
		struct walk *walk = &the_scratch.walk;
		__u32 end = CALLER;

		begin_walk(walk, 1, 0, word_bytes == 4);
		walk->pc = next();
		for (int i = 0; i < EF_REGISTERS; i++)
			walk->registers[i] = next();
		read_mappings();
		read_tables();
		word_count = next();
		for (__u32 i = 0; i < word_count; i++) {
			memory[i].address = next();
			memory[i].word = next();
		}
		for (int i = 0; i <= EF_MAX_USER_FRAMES && end == CALLER; i++)
			end = walk_frame();
		printf("%u %u %u", end, walk->guessed_from < walk->frames ? walk->guessed_from : walk->frames, walk->frames);
		for (__u32 i = 0; i < walk->frames; i++)
			printf(" %llx", (unsigned long long)((__u64 *)the_scratch.payload)[i]);
		printf("\n");
	}
	return 0;
}
