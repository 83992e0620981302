/*
 * The label set of a request, by its route and method.
 *
 * Rule: the cache has no lock; it is meant for the event loop's thread.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <string.h>

#include "base/hot_path.h"
#include "base/mix.h"
#include "capture/label.h"
#include "kore/abi.h"
#include "kore/adapter.h"

/* Label sets that were met lately, so that a request costs a comparison instead
 * of an interning. A route that does not fit `path` is interned each time. */
#define CACHE_ENTRIES 256
#define CACHE_PATH    56 /* of one cache line */

static struct label_cache {
	_Alignas(64) char path[CACHE_PATH];
	uint32_t label;
	uint32_t method;
} cache[CACHE_ENTRIES];

static uint32_t
route_intern(const char *path, u_int8_t method)
{
	struct pp_label_pair pair[] = {
		{ "http.route", path },
		{ "http.method", http_method_text(method) },
	};

	return (pp_label_intern(pair, 2));
}

static __attribute__((noinline)) uint32_t
route_remember(struct label_cache *entry, const char *path, u_int8_t method)
{
	uint32_t label = route_intern(path, method);

	if (strlen(path) < CACHE_PATH) {
		(void)strcpy(entry->path, path);
		entry->method = method;
		entry->label = label;
	}
	return (label);
}

PP_HOT_PATH uint32_t
pp_kore_route_label(const struct http_request *req)
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
	return (route_remember(entry, path, req->method));
}
