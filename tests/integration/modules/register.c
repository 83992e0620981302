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

int
register_load(int state)
{
	struct kore_server *server;
	struct kore_domain *domain;

	if (state != KORE_MODULE_LOAD)
		return (KORE_RESULT_OK);
	LIST_FOREACH(server, &kore_servers, list) {
		TAILQ_FOREACH(domain, &server->domains, list) {
			struct kore_module_handle *first =
			    TAILQ_FIRST(&domain->handlers);

			(void)kore_module_handler_new(domain, "/registered",
			    "page_registered", NULL, HANDLER_TYPE_STATIC);
			/* Ahead of the catch-all. */
			if (first != NULL) {
				struct kore_module_handle *last, *h;

				last = NULL;
				TAILQ_FOREACH(h, &domain->handlers, list)
					last = h;
				TAILQ_REMOVE(&domain->handlers, last, list);
				TAILQ_INSERT_HEAD(&domain->handlers, last,
				    list);
			}
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
