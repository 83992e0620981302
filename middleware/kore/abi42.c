/*
 * See abi.h. This is for Kore 4.2, which has struct kore_route, and rights for
 * each kind of process.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <string.h>

#include "base/hot_path.h"
#include "kore/abi.h"
#include "kore/adapter.h"

/* How many routes of the profiler may have an on_free of the operator. */
#define PP_ABI_CHAINED_MAX 16

PP_HOT_PATH const char *
pp_abi_route(const struct http_request *req)
{
	return (req->rt != NULL ? req->rt->path : NULL);
}

PP_HOT_PATH const void *
pp_abi_handler(const struct http_request *req)
{
	return (req->rt->rcall != NULL ? req->rt->rcall->addr : NULL);
}

/* Kore calls a function of the route, not of the request, and keeps that
 * function over reloads. The function that the operator has written there is
 * called after ours. */
static struct chained {
	const struct kore_route *rt;
	struct kore_runtime_call *theirs;
} chained[PP_ABI_CHAINED_MAX];
static struct kore_runtime_call freed_call;
static void (*freed_ours)(struct http_request *);

static void
freed_both(struct http_request *req)
{
	size_t i;

	freed_ours(req);
	for (i = 0; i < PP_ABI_CHAINED_MAX; i++) {
		if (chained[i].rt == req->rt)
			kore_runtime_http_request_free(chained[i].theirs, req);
	}
}

/* Our function is called in any case: without it an answer would stay in
 * memory.
 */
static void
freed_chain(struct kore_route *rt)
{
	size_t i;

	if (rt->on_free == &freed_call)
		return;
	for (i = 0; rt->on_free != NULL && i < PP_ABI_CHAINED_MAX; i++) {
		if (chained[i].rt != NULL)
			continue;
		chained[i].rt = rt;
		chained[i].theirs = rt->on_free;
		break;
	}
	if (i == PP_ABI_CHAINED_MAX)
		pp_kore_log("on_free is not called: more than %d routes of "
			    "the profiler have one",
		    PP_ABI_CHAINED_MAX);
	rt->on_free = &freed_call;
}

void
pp_abi_when_freed(struct http_request *req,
    void (*freed)(struct http_request *))
{
	void (*both)(struct http_request *) = freed_both;

	freed_ours = freed;
	memcpy(&freed_call.addr, &both, sizeof(both));
	freed_call.runtime = &kore_native_runtime;
	freed_chain(req->rt);
}

/* Nothing is to be done: the call finds hdlr_extra empty. */
void
pp_abi_freed_no_more(struct http_request *req)
{
	(void)req;
}

int
pp_abi_routes_have(struct kore_domain *dom, const char *handler,
    const char *pattern)
{
	struct kore_route *rt;

	TAILQ_FOREACH(rt, &dom->routes, list) {
		if (rt->func != NULL && strcmp(rt->func, handler) == 0 &&
		    (pattern == NULL || strcmp(rt->path, pattern) == 0))
			return (1);
	}
	return (0);
}

int
pp_abi_routes_any(struct kore_domain *dom, const void *addr,
    int (*call)(const char *route, void *arg), void *arg)
{
	struct kore_route *rt;

	TAILQ_FOREACH(rt, &dom->routes, list) {
		if (rt->rcall != NULL && rt->rcall->addr == addr &&
		    call(rt->path, arg))
			return (1);
	}
	return (0);
}

/* Kore appends a route at the end, so it is moved ahead afterwards. */
int
pp_abi_routes_put(struct kore_domain *dom, const char *handler,
    const char *pattern, const char *auth,
    int (*ahead)(const char *route, int dynamic, const char *pattern))
{
	struct kore_auth *block = NULL;
	struct kore_route *first, *rt;

	TAILQ_FOREACH(first, &dom->routes, list) {
		if (ahead(first->path, first->type == HANDLER_TYPE_DYNAMIC,
			pattern))
			break;
	}
	if (auth != NULL && (block = kore_auth_lookup(auth)) == NULL)
		return (-1);
	rt = kore_route_create(dom, pattern, HANDLER_TYPE_DYNAMIC);
	if (rt == NULL)
		return (-1);
	kore_route_callback(rt, handler);
	rt->auth = block;
	if (first != NULL) {
		TAILQ_REMOVE(&dom->routes, rt, list);
		TAILQ_INSERT_BEFORE(first, rt, list);
	}
	return (0);
}

const char *
pp_abi_user(void)
{
	return (worker_privsep.skip_runas ? NULL : worker_privsep.runas);
}

const char *
pp_abi_root(void)
{
	return (worker_privsep.skip_chroot ? NULL : worker_privsep.root);
}
