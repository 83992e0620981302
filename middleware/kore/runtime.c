/*
 * The wrapper around every handler: route and method become the thread's
 * labels for as long as the handler runs.
 *
 * Kore calls native handlers and validators through kore_native_runtime, one
 * writable global; it is changed once, in the parent, and outlives reloads.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <string.h>

#include "base/mix.h"
#include "base/often.h"
#include "capture/label.h"
#include "hook/loader.h"
#include "kore/abi.h"
#include "kore/adapter.h"

PP_OFTEN_DATA static int (*real_request)(void *, struct http_request *);
static int (*real_validator)(void *, struct http_request *, const void *);

/* Label sets met lately, so that a request costs a comparison instead of an
 * interning. A route longer than `path` is interned each time. */
#define CACHE_ENTRIES 256
#define CACHE_PATH    56 /* of one cache line */

static struct label_cache {
	_Alignas(64) char path[CACHE_PATH];
	uint32_t label;
	uint32_t method;
} cache[CACHE_ENTRIES];

static uint32_t
runtime_intern(const char *path, u_int8_t method)
{
	struct pp_label_pair pair[] = {
		{ "http.route", path },
		{ "http.method", http_method_text(method) },
	};

	return (pp_label_intern(pair, 2));
}

static __attribute__((noinline)) uint32_t
runtime_remember(struct label_cache *entry, const char *path, u_int8_t method)
{
	uint32_t label = runtime_intern(path, method);

	if (strlen(path) < CACHE_PATH) {
		(void)strcpy(entry->path, path);
		entry->method = method;
		entry->label = label;
	}
	return (label);
}

PP_OFTEN uint32_t
pp_runtime_label(const struct http_request *req)
{
	struct label_cache *entry;
	const char *path;
	uint64_t hash;

	path = pp_abi_route(req);
	if (path == NULL)
		return (0);
	hash = pp_mix((uint64_t)(uintptr_t)path, req->method);
	entry = &cache[hash % CACHE_ENTRIES];
	if (entry->label != 0 && entry->method == req->method &&
	    strncmp(entry->path, path, CACHE_PATH) == 0)
		return (entry->label);
	return (runtime_remember(entry, path, req->method));
}

PP_OFTEN static int
runtime_request(void *handler, struct http_request *req)
{
	unsigned int depth;
	uint32_t was, label;
	int result;

	if (pp_self.worker == 0)
		return (real_request(handler, req));
	pp_loader_catch_up();
	label = pp_runtime_label(req);
	pp_flight_run(req, label);
	depth = pp_label_depth;
	was = pp_label_swap(label);
	result = real_request(handler, req);
	pp_label_unwind(depth);
	(void)pp_label_swap(was);
	pp_flight_ran(req, result != KORE_RESULT_RETRY);
	return (result);
}

static int
runtime_validator(void *validator, struct http_request *req, const void *data)
{
	uint32_t was;
	int result;

	if (req == NULL)
		return (real_validator(validator, req, data));
	was = pp_label_swap(pp_runtime_label(req));
	result = real_validator(validator, req, data);
	(void)pp_label_swap(was);
	return (result);
}

void
pp_runtime_wrap(void)
{
	real_request = kore_native_runtime.http_request;
	real_validator = kore_native_runtime.validator;
	kore_native_runtime.http_request = runtime_request;
	kore_native_runtime.validator = runtime_validator;
}
