// SPDX-License-Identifier: Apache-2.0
/*
 * Publishes its OpenTelemetry context and those of its threads (OTEP 4719, 4947) and burns CPU in five functions, three of them under a span of their own. Takes
 * the CPU milliseconds of each thread, a file for the truth (what each function took by the threads' CPU clocks, one `name nanoseconds` a line), and where it
 * is compiled with -DLOADED the library. With -DLIBRARY it is that library; with -DLINKED a program that is linked to it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

void **thread_context(void);

#if defined(LIBRARY) || !(defined(LINKED) || defined(LOADED))
/* So that the variable is not the first one of its block. */
__thread long other_variables[5] = { 1 };
__thread void *otel_thread_ctx_v1;

__attribute__((noinline)) void **thread_context(void)
{
	return &otel_thread_ctx_v1;
}
#endif

#ifndef LIBRARY

struct record {
	uint8_t trace[16];
	uint8_t span[8];
	uint8_t valid;
	uint8_t flags;
	uint16_t attribute_bytes;
	uint8_t attributes[1024];
} __attribute__((packed, aligned(8)));

static void **(*context_of_thread)(void);
static uint64_t milliseconds;
static volatile uint64_t sink;

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#define FUNCTIONS 5
static const char *names[FUNCTIONS] = { "alpha", "beta", "gamma_", "writing", "without" };
static uint64_t spent[2][FUNCTIONS];

/* Milliseconds. */
static const int turns[FUNCTIONS] = { 9, 5, 3, 4, 2 };

#define WORK(name)                                                                   \
	__attribute__((noinline)) void name(int count)                               \
	{                                                                            \
		for (uint64_t until = cpu_ns() + count * 1000000ull; cpu_ns() < until;) \
			for (int i = 0; i < 20000; i++)                              \
				sink = sink * 6364136223846793005u + 1;              \
	}

WORK(alpha)
WORK(beta)
WORK(gamma_)
WORK(writing)
WORK(without)
WORK(before)

static void (*const functions[FUNCTIONS])(int) = { alpha, beta, gamma_, writing, without };

static void add_attribute(struct record *record, uint8_t index, const char *text)
{
	uint8_t *to = record->attributes + record->attribute_bytes;

	to[0] = index;
	to[1] = strlen(text);
	memcpy(to + 2, text, to[1]);
	record->attribute_bytes += 2 + to[1];
}

#define FENCE() __asm__ volatile("" : : : "memory")

/* Enters the span of function `i`: none of the last two, of which one is at writing the record. */
static void enter(struct record *record, int thread, int i)
{
	record->valid = 0;
	FENCE();
	*context_of_thread() = i == 4 ? 0 : record;
	memset(record->trace, 0xa0 + thread, sizeof(record->trace));
	memset(record->span, 0, sizeof(record->span));
	record->span[0] = 0x10 + thread;
	record->span[7] = i + 1;
	record->attribute_bytes = 0;
	if (i == 0) {
		add_attribute(record, 0, "/alpha");
	} else if (i == 1) {
		add_attribute(record, 2, "first");
		add_attribute(record, 1, "of no name");
		add_attribute(record, 9, "of no index");
		add_attribute(record, 2, "zo\xc3\xab");
	} else if (i == 2) {
		record->attribute_bytes = 700;
	}
	FENCE();
	record->valid = i < 3;
}

static void *burn(void *argument)
{
	int thread = (int)(intptr_t)argument;
	struct record *record = calloc(1, sizeof(*record));
	uint64_t start = cpu_ns();

	pthread_setname_np(pthread_self(), thread ? "two" : "one");
	while (cpu_ns() - start < milliseconds * 1000000u) {
		for (int i = 0; i < FUNCTIONS; i++) {
			uint64_t at;

			enter(record, thread, i);
			at = cpu_ns();
			functions[i](turns[i]);
			spent[thread][i] += cpu_ns() - at;
		}
	}
	*context_of_thread() = 0;
	return 0;
}

/* Of protobuf: a field of type 2, with what `add` has put behind it. */
static uint8_t *field(uint8_t *to, int number, const void *bytes, size_t length)
{
	*to++ = number << 3 | 2;
	if (length > 127)
		*to++ = 0x80 | (length & 127);
	*to++ = length > 127 ? length >> 7 : length;
	memcpy(to, bytes, length);
	return to + length;
}

static uint8_t *attribute(uint8_t *to, int number, const char *key, const uint8_t *value, size_t length)
{
	uint8_t message[512], *end = field(message, 1, key, strlen(key));

	end = field(end, 2, value, length);
	return field(to, number, message, end - message);
}

static uint8_t *text_attribute(uint8_t *to, int number, const char *key, const char *text)
{
	uint8_t value[256];

	return attribute(to, number, key, value, field(value, 1, text, strlen(text)) - value);
}

struct header {
	char signature[8];
	uint32_t version;
	uint32_t bytes;
	uint64_t published_ns;
	void *payload;
};

static void publish(void)
{
	static uint8_t payload[2048];
	uint8_t resource[512], array[256], value[256], *end = resource;
	const char *keys[] = { "http.route", "", "user" };
	int file = memfd_create("OTEL_CTX", MFD_CLOEXEC);
	struct header *header;

	if (file < 0 || ftruncate(file, 4096))
		abort();
	header = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	close(file);
	if (header == MAP_FAILED)
		abort();
	madvise(header, 4096, MADV_DONTFORK);
	end = text_attribute(end, 1, "service.name", "shop-of-spans");
	end = text_attribute(end, 1, "service.version", "7.1");
	end = field(payload, 1, resource, end - resource);
	end = text_attribute(end, 2, "threadlocal.schema_version", "tlsdesc_v1_dev");
	uint8_t *item = array;
	for (int i = 0; i < 3; i++)
		item = field(item, 1, value, field(value, 1, keys[i], strlen(keys[i])) - value);
	end = attribute(end, 2, "threadlocal.attribute_key_map", value, field(value, 5, array, item - array) - value);
	header->version = 2;
	header->bytes = end - payload;
	header->published_ns = 1;
	header->payload = payload;
	__sync_synchronize();
	memcpy(header->signature, "OTEL_CTX", 8);
	prctl(0x53564d41 /* PR_SET_VMA */, 0, header, 4096, "OTEL_CTX");
}

int main(int count, char **arguments)
{
	pthread_t threads[2];
	FILE *truth;

	if (count < 3)
		return 2;
	milliseconds = strtoul(arguments[1], 0, 10);
#ifdef LOADED
	void *library = dlopen(arguments[3], RTLD_NOW);
	context_of_thread = library ? (void **(*)(void))dlsym(library, "thread_context") : 0;
	if (!context_of_thread)
		return 3;
	/* A library that was loaded later says where its variables are when one is used for the first time. */
	*context_of_thread() = 0;
#else
	context_of_thread = thread_context;
#endif
	publish();
	/* Long enough for an agent that has never seen this program to find all this. */
	before(1000);
	for (intptr_t i = 0; i < 2; i++)
		pthread_create(&threads[i], 0, burn, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], 0);
	truth = fopen(arguments[2], "w");
	if (!truth)
		return 4;
	for (int i = 0; i < FUNCTIONS; i++)
		fprintf(truth, "%s %llu\n", names[i], (unsigned long long)(spent[0][i] + spent[1][i]));
	return fclose(truth);
}

#endif
