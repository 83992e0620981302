/*
 * These functions hide the parts of Kore that have another name or shape from
 * one version to the next. abi41.c is for Kore 4.1, abi42.c for 4.2; the build
 * takes the file that fits the headers it has found. The rest of the adapter is
 * the same source for both.
 *
 * Features that an older Kore lacks do not belong here: nothing is optional.
 *
 * Rule: the event loop's thread or the parent only, as each comment says.
 */
#ifndef PP_KORE_ABI_H
#define PP_KORE_ABI_H

struct http_request;
struct kore_domain;

/* The route of a request as it stands in kore.conf, or NULL if the request has
 * none yet. The text lives as long as the route. In a worker. */
const char *pp_abi_route(const struct http_request *req);

/* The function that the route of the request calls, or NULL. The request has a
 * route. */
const void *pp_abi_handler(const struct http_request *req);

/* Let `freed` be called once when the request ends, for whatever reason;
 * hdlr_extra is then NULL or its last value. pp_abi_freed_no_more() takes this
 * back where Kore allows that. Called in the route's handler. */
void pp_abi_when_freed(struct http_request *req,
    void (*freed)(struct http_request *));
void pp_abi_freed_no_more(struct http_request *req);

/* Returns 1 if a route of the domain is handled by `handler`. With `pattern`
 * only a route that is written so counts; NULL: any route. */
int pp_abi_routes_have(struct kore_domain *dom, const char *handler,
    const char *pattern);

/* Returns 1 if call() is true for a route of the domain whose function is
 * `addr`.
 */
int pp_abi_routes_any(struct kore_domain *dom, const void *addr,
    int (*call)(const char *route, void *arg), void *arg);

/* Make a route, behind the authentication block `auth` (NULL: none). The route
 * stands ahead of the domain's first route for which ahead() is true; if there
 * is none, it is the last. Returns 0, or -1 if Kore refused. */
int pp_abi_routes_put(struct kore_domain *dom, const char *handler,
    const char *pattern, const char *auth,
    int (*ahead)(const char *route, int dynamic, const char *pattern));

/* The user and the root directory of workers; NULL: as the parent. In the
 * parent. */
const char *pp_abi_user(void);
const char *pp_abi_root(void);

#endif
