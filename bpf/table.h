/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* From an address to the row of its unwind table. The twin of findUnwindMapping and findUnwindRow in packages/binary/src/unwind. */
#ifndef EVERFLAME_TABLE_H
#define EVERFLAME_TABLE_H

/* 2^5 is above EF_PART_MAPPINGS and EF_MAX_PARTS. */
#define MAPPING_SEARCH_STEPS 5
/* 2^9 elements in a chunk. */
#define ROW_SEARCH_STEPS 9
#define CHUNK_SHIFT 9
#define CHUNK_MASK (EF_UNWIND_CHUNK_ELEMENTS - 1)
#define PAGE_MASK ((1 << EF_UNWIND_PAGE_SHIFT) - 1)

/* What became of a look-up. */
#define FOUND 0
#define NOT_FOUND 1
#define NOT_LOADED 2

static __always_inline struct ef_mapping *search_mappings(struct process *process, __u64 address)
{
	__u32 low = 0, high = process->head.mapping_count, middle;

	for (int step = 0; step < MAPPING_SEARCH_STEPS; step++) {
		if (low >= high)
			break;
		middle = (low + high) >> 1;
		if (middle >= EF_PART_MAPPINGS)
			return 0;
		if (process->mappings[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low >= process->head.mapping_count || low >= EF_PART_MAPPINGS)
		return 0;
	return process->mappings[low].start <= address ? &process->mappings[low] : 0;
}

/*
 * Puts the mapping of `address` into the walk. Like the other functions that are not inlined, it is verified once and by itself: what the searches
 * can come to would multiply with what a step can.
 */
__noinline int find_mapping(__u64 address)
{
	struct scratch *scratch = this_scratch();
	struct ef_process_key key = {};
	struct ef_mapping *mapping;
	struct process *process;
	struct walk *walk;

	if (!scratch)
		return 0;
	walk = &scratch->walk;
	if (address >= walk->start && address < walk->end)
		return 1;
	key.pid = walk->pid;
	process = bpf_map_lookup_elem(&processes, &key);
	if (!process)
		return 0;
	mapping = search_mappings(process, address);
	if (mapping && mapping->kind == EF_MAPPING_PART) {
		key.part = mapping->slot;
		process = bpf_map_lookup_elem(&processes, &key);
		if (!process)
			return 0;
		mapping = search_mappings(process, address);
	}
	if (!mapping)
		return 0;
	walk->start = mapping->start;
	walk->end = mapping->end;
	walk->bias = mapping->bias;
	walk->page_count = mapping->page_count;
	walk->slot = mapping->slot;
	walk->kind = mapping->kind;
	walk->table_flags = mapping->table_flags;
	return 1;
}

static __always_inline struct chunk *chunk_of(void *table, __u32 element)
{
	__u32 number = element >> CHUNK_SHIFT;

	return bpf_map_lookup_elem(table, &number);
}

/* Puts the row in force at `offset` bytes from the base of the table of the walk's mapping into the walk, with its extension. */
__noinline int find_row(__u64 offset)
{
	__u32 slot, first, last, low, high, middle, number;
	__u64 page = offset >> EF_UNWIND_PAGE_SHIFT, index;
	struct scratch *scratch = this_scratch();
	__u16 wanted = offset & PAGE_MASK;
	struct chunk *chunk;
	struct walk *walk;
	void *table;

	if (!scratch)
		return NOT_FOUND;
	walk = &scratch->walk;
	slot = walk->slot;
	table = bpf_map_lookup_elem(&tables, &slot);
	if (!table)
		return NOT_LOADED;
	if (page >= walk->page_count)
		return NOT_FOUND;
	chunk = chunk_of(table, page);
	if (!chunk)
		return NOT_FOUND;
	index = chunk->elements[page & CHUNK_MASK];
	first = index;
	last = first + (__u32)(index >> 32) - 1;

	/* The page's last chunk that begins at or below; almost always its only one. */
	number = last >> CHUNK_SHIFT;
	for (int i = 0; i < EF_UNWIND_MAX_PAGE_CHUNKS; i++) {
		chunk = bpf_map_lookup_elem(table, &number);
		if (!chunk)
			return NOT_FOUND;
		if (number <= first >> CHUNK_SHIFT || (__u16)chunk->elements[0] <= wanted)
			break;
		number--;
	}
	low = number == first >> CHUNK_SHIFT ? first & CHUNK_MASK : 0;
	high = number == last >> CHUNK_SHIFT ? (last & CHUNK_MASK) + 1 : EF_UNWIND_CHUNK_ELEMENTS;
	/* The first row of a page holds from its first byte, so the answer is in [low, high) throughout. */
	for (int step = 0; step < ROW_SEARCH_STEPS; step++) {
		middle = (low + high) >> 1;
		if (high - low > 1) {
			if ((__u16)chunk->elements[middle & CHUNK_MASK] <= wanted)
				low = middle;
			else
				high = middle;
		}
	}
	walk->row = chunk->elements[low & CHUNK_MASK];
	if (((walk->row >> 16) & 0xf) == EF_UNWIND_KIND_EXT) {
		first = walk->row >> 32;
		chunk = chunk_of(table, first);
		if (!chunk)
			return NOT_FOUND;
		walk->extension = chunk->elements[first & CHUNK_MASK];
	}
	return FOUND;
}

#endif
