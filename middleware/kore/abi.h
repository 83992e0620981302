/*
 * What has another name or shape from one Kore to the next. abi41.c is for
 * Kore 4.1, abi42.c for 4.2; the build takes the one that the headers found
 * are of. Everything else of the adapter is the same source for both.
 *
 * Not for what an older Kore has not: nothing here is optional.
 */
#ifndef PP_KORE_ABI_H
#define PP_KORE_ABI_H

struct http_request;
struct kore_domain;

/* The route of a request as it stands in kore.conf, or NULL before there is
 * one. The text lives as long as the route. In a worker. */
const char *pp_abi_route(const struct http_request *req);

/* Of a request that has a route: the function that the route calls, or
 * NULL. */
const void *pp_abi_handler(const struct http_request *req);

/* Call `freed` when the request ends, for whatever reason; it is called once
 * with hdlr_extra NULL or what it was last. In the route's handler. */
void pp_abi_when_freed(struct http_request *req,
    void (*freed)(struct http_request *));
void pp_abi_freed_no_more(struct http_request *req);

/* Is a route of the domain handled by `handler`? `pattern`: one that is
 * written so, or NULL for any. */
int pp_abi_routes_have(struct kore_domain *dom, const char *handler,
    const char *pattern);

/* Is call() true for a route of the domain whose function is `addr`? */
int pp_abi_routes_any(struct kore_domain *dom, const void *addr,
    int (*call)(const char *route, void *arg), void *arg);

/* Make a route, behind the authentication block `auth` or NULL, ahead of the
 * domain's first one for which ahead() is true, otherwise as its last. Returns
 * 0, or -1 when Kore refused. */
int pp_abi_routes_put(struct kore_domain *dom, const char *handler,
    const char *pattern, const char *auth,
    int (*ahead)(const char *route, int dynamic, const char *pattern));

/* As whom and where workers run; NULL: as the parent. In the parent. */
const char *pp_abi_user(void);
const char *pp_abi_root(void);

#endif
