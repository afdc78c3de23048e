// SPDX-License-Identifier: Apache-2.0
/*
 * Hand-written assembly at the end of the chain: SHA-256 and AES-128-GCM of libcrypto, memcpy and memset of libc.
 * `assembly SECONDS TRUTH`. The functions are declared here and libcrypto.so.3 is loaded by name: no headers are needed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include "planted.h"

#define SIZE (64 * 1024)

static unsigned char from[SIZE], to[SIZE + 64];
static int (*digest)(const void *, size_t, unsigned char *, unsigned *, const void *, void *);
static const void *(*sha256)(void);
static void *(*new_cipher)(void);
static int (*init_cipher)(void *, const void *, void *, const unsigned char *, const unsigned char *);
static int (*update_cipher)(void *, unsigned char *, int *, const unsigned char *, int);
static const void *(*aes)(void);
static void *cipher;

PLANTED void planted_sha(int units)
{
	unsigned char out[64];
	unsigned size;

	for (int i = 0; i < units * 8; i++)
		if (digest(from, SIZE, out, &size, sha256(), NULL) != 1)
			abort();
	planted_sink += out[0];
}

PLANTED void planted_aes(int units)
{
	int size;

	for (int i = 0; i < units * 24; i++)
		if (update_cipher(cipher, to, &size, from, SIZE) != 1)
			abort();
	planted_sink += to[0];
}

PLANTED void planted_copy(int units)
{
	for (int i = 0; i < units * 200; i++) {
		/* Through a volatile pointer, so that it is libc's own and no loop of the compiler. */
		void *(*volatile copy)(void *, const void *, size_t) = memcpy;

		copy(to + (i & 31), from, SIZE);
	}
	planted_sink += to[5];
}

PLANTED void planted_fill(int units)
{
	for (int i = 0; i < units * 200; i++) {
		void *(*volatile fill)(void *, int, size_t) = memset;

		fill(to + (i & 31), i, SIZE);
	}
	planted_sink += to[5];
}

PLANTED void drive(uint64_t until)
{
	while (planted_cpu_ns() < until)
		level_01(0);
}

static void *need(void *library, const char *name)
{
	void *symbol = dlsym(library, name);

	if (!symbol) {
		fprintf(stderr, "no %s: %s\n", name, dlerror());
		exit(3);
	}
	return symbol;
}

int main(int argc, char **argv)
{
	static const unsigned char key[16] = "sixteen bytes ok", iv[12] = "twelve bytes";
	void *library = dlopen("libcrypto.so.3", RTLD_NOW);
	FILE *truth;

	if (argc != 3 || !library)
		return 2;
	*(void **)&digest = need(library, "EVP_Digest");
	*(void **)&sha256 = need(library, "EVP_sha256");
	*(void **)&new_cipher = need(library, "EVP_CIPHER_CTX_new");
	*(void **)&init_cipher = need(library, "EVP_EncryptInit_ex");
	*(void **)&update_cipher = need(library, "EVP_EncryptUpdate");
	*(void **)&aes = need(library, "EVP_aes_128_gcm");
	cipher = new_cipher();
	if (!cipher || init_cipher(cipher, aes(), NULL, key, iv) != 1)
		return 1;
	planted_functions[0] = (planted_function){ "planted_sha", planted_sha, 40 };
	planted_functions[1] = (planted_function){ "planted_aes", planted_aes, 25 };
	planted_functions[2] = (planted_function){ "planted_copy", planted_copy, 18 };
	planted_functions[3] = (planted_function){ "planted_fill", planted_fill, 12 };
	drive((uint64_t)(atof(argv[1]) * 1e9));
	truth = planted_truth_open(argv[2]);
	planted_truth_chain(truth, "main drive");
	planted_truth_totals(truth);
	return planted_truth_close(truth);
}
