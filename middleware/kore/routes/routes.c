/*
 * The profiler's routes: where they are, who may ask, and what a request means.
 *
 * How a request reaches the collector is in forward.c.
 *
 * Rule: the access rule is asked for every request, whoever has made the route.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <errno.h>
#include <string.h>

#include "kore/abi.h"
#include "kore/adapter.h"
#include "kore/routes/forward_body.h"
#include "kore/routes/history.h"
#define PPROF_NO_SHIM
#include "pprof.h"

#define PREFIX_MAX 255
/* Each byte of the prefix may need a backslash. To that come "^", "(/.*)?$" and
 * NUL. */
#define PATTERN_MAX (2 * PREFIX_MAX + 16)

/* Characters with a special meaning in a POSIX extended expression. */
#define REGEX_SPECIAL ".[]()*+?{}|^$\\"

static int
routes_pattern(const char *prefix, char *pattern)
{
	size_t len = strlen(prefix), used = 0, i;

	if (prefix[0] != '/' || len < 2 || len > PREFIX_MAX ||
	    prefix[len - 1] == '/' || strpbrk(prefix, " \t\r\n") != NULL)
		return (-1);
	pattern[used++] = '^';
	for (i = 0; i < len; i++) {
		if (strchr(REGEX_SPECIAL, prefix[i]) != NULL)
			pattern[used++] = '\\';
		pattern[used++] = prefix[i];
	}
	(void)strcpy(pattern + used, "(/.*)?$");
	return (0);
}

/* Write the literal beginning of a route of kore.conf into `prefix`, without a
 * slash at its end. */
static void
routes_prefix(const char *route, char *prefix)
{
	size_t used = 0;

	if (*route == '^')
		route++;
	for (; *route != '\0' && used < PREFIX_MAX; route++) {
		if (*route == '\\' && route[1] != '\0')
			route++;
		else if (strchr(REGEX_SPECIAL, *route) != NULL)
			break;
		prefix[used++] = *route;
	}
	while (used > 0 && prefix[used - 1] == '/')
		used--;
	prefix[used] = '\0';
}

/*
 * Returns 1 if this route may match a path that is meant for our route; ours
 * must then be ahead of this one. Otherwise our route is the last: Kore tries
 * one expression after the other for each request, and ours is seldom meant.
 * `pattern` comes from routes_pattern().
 */
static int
routes_may_match(const char *route, int dynamic, const char *pattern)
{
	char text[PREFIX_MAX + 1], *prefix = text;

	routes_prefix(pattern, prefix);
	if (!dynamic)
		return (strncmp(route, prefix, strlen(prefix)) == 0);
	if (*route++ != '^' || strchr(route, '|') != NULL)
		return (1);
	for (; *prefix != '\0'; route++, prefix++) {
		/* A letter or a quote after a backslash is a class of
		 * characters. */
		if (*route == '\\' && route[1] != '\0' &&
		    strchr(REGEX_SPECIAL, route[1]) != NULL)
			route++;
		else if (strchr(REGEX_SPECIAL, *route) != NULL)
			return (1); /* also at the route's end */
		if (route[1] != '\0' && strchr("*?{", route[1]) != NULL)
			return (1);
		if (*route != *prefix)
			return (0);
	}
	return (1);
}

/* With `all`, a domain that has a route of the profiler already is left alone;
 * otherwise only one that has this very route. Returns 0, or -1 with errno. */
static int
routes_register(const char *domain, const char *pattern, const char *auth,
    int all)
{
	struct kore_server *server;
	struct kore_domain *dom;
	int found = 0;

	LIST_FOREACH(server, &kore_servers, list) {
		TAILQ_FOREACH(dom, &server->domains, list) {
			if (domain != NULL && strcmp(domain, dom->domain) != 0)
				continue;
			found = 1;
			if (pp_abi_routes_have(dom, PP_KORE_HANDLER,
				all ? NULL : pattern))
				continue;
			if (pp_abi_routes_put(dom, PP_KORE_HANDLER, pattern,
				auth, routes_may_match) == -1) {
				pp_kore_log("no route %s in domain %s", pattern,
				    dom->domain);
				errno = EINVAL;
				return (-1);
			}
		}
	}
	if (!found) {
		pp_kore_log("no domain \"%s\" in the configuration",
		    domain != NULL ? domain : "*");
		errno = ENOENT;
		return (-1);
	}
	return (0);
}

__attribute__((visibility("default"))) int
pprof_register(const char *domain, const char *prefix, const char *auth)
{
	char pattern[PATTERN_MAX];

	if (prefix == NULL)
		prefix = PPROF_PREFIX;
	if (routes_pattern(prefix, pattern) == -1) {
		pp_kore_log("prefix \"%s\" is not an absolute path without a "
			    "slash at its end, of at most %d bytes",
		    prefix, PREFIX_MAX);
		errno = EINVAL;
		return (-1);
	}
	if (auth != NULL && kore_auth_lookup(auth) == NULL) {
		pp_kore_log("no authentication block \"%s\"", auth);
		errno = ENOENT;
		return (-1);
	}
	return (routes_register(domain, pattern, auth, 0));
}

__attribute__((visibility("default"))) int
pprof_load(int action)
{
	char pattern[PATTERN_MAX];

	/* In a Kore that was built with other features, struct kore_domain has
	 * another shape. */
	if (action == KORE_MODULE_LOAD && pp_features_differ() == NULL &&
	    routes_pattern(PPROF_PREFIX, pattern) == 0)
		(void)routes_register(NULL, pattern, NULL, 1);
	return (KORE_RESULT_OK);
}

struct beginning {
	const char *path;
	size_t len;
};

static int
routes_begins(const char *route, void *arg)
{
	const struct beginning *of = arg;
	char prefix[PREFIX_MAX + 1];
	size_t len;

	routes_prefix(route, prefix);
	len = strlen(prefix);
	return (len <= of->len && memcmp(of->path, prefix, len) == 0);
}

int
pp_kore_routes_may_mean(const struct connection *c, const char *path,
    size_t len)
{
	struct beginning of = { path, len };
	struct listener *listener = c->owner;
	struct kore_domain *dom;

	TAILQ_FOREACH(dom, &listener->server->domains, list) {
		if (pp_abi_routes_any(dom, (const void *)pprof_handler,
			routes_begins, &of))
			return (1);
	}
	return (0);
}

/* Why the request is refused, or PP_REFUSED_NOT. `rest` is the path behind the
 * prefix. */
static enum pp_refusal
routes_refused(struct http_request *req, const char *rest)
{
	struct pp_asked asked = {
		.peer = pp_history_peer(req->owner),
		.method = pp_forward_method(req->method),
		.index = rest[0] == '\0' || strcmp(rest, "/") == 0,
		.history = req->owner->flags & PP_HISTORY_ALL,
	};
	const struct http_header *header;
	int lines = 2; /* the first line, and Host as Kore took it */

	TAILQ_FOREACH(header, &req->req_headers, list) {
		pp_allow_asked_header(&asked, &pp_kore.allow, header->header,
		    header->value);
		lines++;
	}
	pp_allow_asked_header(&asked, &pp_kore.allow, "host", req->host);
	asked.full = lines >= PP_HISTORY_LINES;
	return (pp_allow_asked(&pp_kore.allow, &asked));
}

__attribute__((visibility("default"))) int
pprof_handler(struct http_request *req)
{
	char prefix[PREFIX_MAX + 1];
	enum pp_refusal refused;
	const char *rest = NULL;
	size_t len;

	if (req->owner == NULL)
		return (KORE_RESULT_OK);
	routes_prefix(pp_abi_route(req), prefix);
	len = strlen(prefix);
	if (strncmp(req->path, prefix, len) == 0)
		rest = req->path + len;
	refused = routes_refused(req, rest == NULL ? "?" : rest);
	if (refused != PP_REFUSED_NOT) {
		pp_forward_sentence(req, HTTP_STATUS_FORBIDDEN,
		    pp_allow_refusals[refused]);
		return (KORE_RESULT_OK);
	}
	if (rest == NULL) {
		pp_forward_sentence(req, HTTP_STATUS_NOT_FOUND,
		    "Unknown profile");
		return (KORE_RESULT_OK);
	}
	return (pp_forward_request(req, prefix, rest));
}
