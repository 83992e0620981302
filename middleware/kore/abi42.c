/*
 * See abi.h: Kore 4.2, which has struct kore_route, and rights for each kind
 * of process.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <string.h>

#include "kore/abi.h"

const char *
pp_abi_route(const struct http_request *req)
{
	return (req->rt != NULL ? req->rt->path : NULL);
}

/* Kore calls a function of the route, not of the request. Whatever the
 * operator has written there is called in our place. */
static struct kore_runtime_call freed_call;

void
pp_abi_when_freed(struct http_request *req,
    void (*freed)(struct http_request *))
{
	memcpy(&freed_call.addr, &freed, sizeof(freed));
	freed_call.runtime = &kore_native_runtime;
	if (req->rt->on_free == NULL)
		req->rt->on_free = &freed_call;
}

/* The call finds hdlr_extra empty. */
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

/* Kore appends. */
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
