/*
 * See abi.h. This is for Kore 4.1, whose routes are module handles.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <string.h>

#include "base/hot_path.h"
#include "kore/abi.h"

PP_HOT_PATH const char *
pp_abi_route(const struct http_request *req)
{
	return (req->hdlr != NULL ? req->hdlr->path : NULL);
}

PP_HOT_PATH const void *
pp_abi_handler(const struct http_request *req)
{
	return (req->hdlr->rcall != NULL ? req->hdlr->rcall->addr : NULL);
}

void
pp_abi_when_freed(struct http_request *req,
    void (*freed)(struct http_request *))
{
	req->onfree = freed;
}

void
pp_abi_freed_no_more(struct http_request *req)
{
	req->onfree = NULL;
}

int
pp_abi_routes_have(struct kore_domain *dom, const char *handler,
    const char *pattern)
{
	struct kore_module_handle *hdlr;

	TAILQ_FOREACH(hdlr, &dom->handlers, list) {
		if (strcmp(hdlr->func, handler) == 0 &&
		    (pattern == NULL || strcmp(hdlr->path, pattern) == 0))
			return (1);
	}
	return (0);
}

int
pp_abi_routes_any(struct kore_domain *dom, const void *addr,
    int (*call)(const char *route, void *arg), void *arg)
{
	struct kore_module_handle *hdlr;

	TAILQ_FOREACH(hdlr, &dom->handlers, list) {
		if (hdlr->rcall != NULL && hdlr->rcall->addr == addr &&
		    call(hdlr->path, arg))
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
	struct kore_module_handle *hdlr, *first, *last = NULL;

	TAILQ_FOREACH(first, &dom->handlers, list) {
		if (ahead(first->path, first->type == HANDLER_TYPE_DYNAMIC,
			pattern))
			break;
	}
	if (!kore_module_handler_new(dom, pattern, handler, auth,
		HANDLER_TYPE_DYNAMIC))
		return (-1);
	TAILQ_FOREACH(hdlr, &dom->handlers, list)
		last = hdlr;
	if (first != NULL) {
		TAILQ_REMOVE(&dom->handlers, last, list);
		TAILQ_INSERT_BEFORE(first, last, list);
	}
	return (0);
}

const char *
pp_abi_user(void)
{
	return (skip_runas ? NULL : kore_runas_user);
}

const char *
pp_abi_root(void)
{
	return (skip_chroot ? NULL : kore_root_path);
}
