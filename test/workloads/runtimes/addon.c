// SPDX-License-Identifier: Apache-2.0
/*
 * An addon for Node.js (Node-API, whose few functions are declared here, so that no headers are needed): `callBack(fn)` burns CPU in native_before and calls fn,
 * `leaf()` burns it in native_leaf. What was spent is measured by the script, with `cpuNs()`: getrusage(), which Node.js offers, is up to a tick behind.
 */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

int napi_get_cb_info(napi_env, napi_callback_info, size_t *count, napi_value *arguments, napi_value *self, void **data);
int napi_get_global(napi_env, napi_value *);
int napi_call_function(napi_env, napi_value self, napi_value function, size_t count, const napi_value *, napi_value *);
int napi_create_function(napi_env, const char *name, size_t length, napi_callback, void *data, napi_value *);
int napi_create_double(napi_env, double, napi_value *);
int napi_set_named_property(napi_env, napi_value object, const char *name, napi_value);

static volatile uint64_t sink;

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#define BURN(name, microseconds)                                                           \
	__attribute__((noinline)) static void name(void)                                   \
	{                                                                                  \
		for (uint64_t until = cpu_ns() + microseconds * 1000u; cpu_ns() < until;)  \
			for (int i = 0; i < 20000; i++)                                    \
				sink = sink * 6364136223846793005u + 1;                    \
		sink++;                                                                    \
	}

BURN(native_before, 3000)
BURN(native_leaf, 5000)

__attribute__((noinline)) static napi_value call_back(napi_env env, napi_callback_info info)
{
	napi_value function, self, result = NULL;
	size_t count = 1;

	napi_get_cb_info(env, info, &count, &function, NULL, NULL);
	napi_get_global(env, &self);
	native_before();
	napi_call_function(env, self, function, 0, NULL, &result);
	return result;
}

__attribute__((noinline)) static napi_value leaf(napi_env env, napi_callback_info info)
{
	(void)env;
	(void)info;
	native_leaf();
	sink++;
	return NULL;
}

static napi_value cpu_ns_of_thread(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;

	(void)info;
	napi_create_double(env, (double)cpu_ns(), &result);
	return result;
}

napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function;

	napi_create_function(env, "callBack", (size_t)-1, call_back, NULL, &function);
	napi_set_named_property(env, exports, "callBack", function);
	napi_create_function(env, "leaf", (size_t)-1, leaf, NULL, &function);
	napi_set_named_property(env, exports, "leaf", function);
	napi_create_function(env, "cpuNs", (size_t)-1, cpu_ns_of_thread, NULL, &function);
	napi_set_named_property(env, exports, "cpuNs", function);
	return exports;
}
