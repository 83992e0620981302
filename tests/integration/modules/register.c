/*
 * Registers the profiler's routes from C, well and badly, and tells at
 * /registered how it went.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <errno.h>
#include <pprof.h>

int register_load(int);
int page_registered(struct http_request *);

static char results[256];

static void
try(const char *domain, const char *prefix, const char *auth)
{
	const char *result = "0";

	errno = 0;
	if (pprof_register(domain, prefix, auth) == -1)
		result = errno == EINVAL ? "EINVAL"
		    : errno == ENOENT	 ? "ENOENT"
					 : "other";
	(void)strcat(results, *results ? " " : "");
	(void)strcat(results, result);
}

/* A route of the application's own, ahead of a catch-all. */
static void
put_first(struct kore_domain *domain)
{
#if defined(KORE_42)
	struct kore_route *route =
	    kore_route_create(domain, "/registered", HANDLER_TYPE_STATIC);

	kore_route_callback(route, "page_registered");
	TAILQ_REMOVE(&domain->routes, route, list);
	TAILQ_INSERT_HEAD(&domain->routes, route, list);
#else
	struct kore_module_handle *route, *last = NULL;

	(void)kore_module_handler_new(domain, "/registered", "page_registered",
	    NULL, HANDLER_TYPE_STATIC);
	TAILQ_FOREACH(route, &domain->handlers, list)
		last = route;
	TAILQ_REMOVE(&domain->handlers, last, list);
	TAILQ_INSERT_HEAD(&domain->handlers, last, list);
#endif
}

int
register_load(int state)
{
	struct kore_server *server;
	struct kore_domain *domain;

	if (state != KORE_MODULE_LOAD)
		return (KORE_RESULT_OK);
	LIST_FOREACH(server, &kore_servers, list) {
		TAILQ_FOREACH(domain, &server->domains, list) {
			put_first(domain);
		}
	}
	try("a.test", "/c.test/pp", "ops");
	try("a.test", "/c.test/pp", "ops");
	try("a.test", "no-slash", NULL);
	try("a.test", "/ends/", NULL);
	try("a.test", "", NULL);
	try("nosuch.test", NULL, NULL);
	try("a.test", NULL, "nobody");
	return (KORE_RESULT_OK);
}

int
page_registered(struct http_request *req)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "%s\n", results);
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}
