/*
 * See state.h: in Kore 4.2 the route has the function (`on_free`).
 *
 * The conf does not name it: after a reload Kore looks `handler` up again, but
 * not `on_free`, and would call it where the old module was.
 */
#include "state.h"

#if defined(APP_KORE_42)

#include <string.h>

#include <kore/http.h>

static struct kore_runtime_call ended_call;
static void (*ended_freed)(struct http_request *);

/* Kore calls this for every request of the route, also for one without a state.
 */
static void
ended(struct http_request *req)
{
	if (http_state_exists(req))
		ended_freed(req);
}

void *
state_create(struct http_request *req, size_t len,
    void (*freed)(struct http_request *))
{
	void (*call)(struct http_request *) = ended;

	ended_freed = freed;
	memcpy(&ended_call.addr, &call, sizeof(call));
	ended_call.runtime = &kore_native_runtime;
	req->rt->on_free = &ended_call;

	return (http_state_create(req, len));
}

/* Nothing is done here: state_leave() does it for all requests at once. */
void
state_forget(struct http_request *req)
{
	(void)req;
}

void
state_leave(void)
{
	struct kore_server *server;
	struct kore_domain *domain;
	struct kore_route *route;

	LIST_FOREACH(server, &kore_servers, list) {
		TAILQ_FOREACH(domain, &server->domains, list) {
			TAILQ_FOREACH(route, &domain->routes, list) {
				if (route->on_free == &ended_call)
					route->on_free = NULL;
			}
		}
	}
}

#endif
