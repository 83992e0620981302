/*
 * What a request that goes to sleep waits for, as Kore's own structures tell
 * it. Not who sleeps since when: flight.c.
 *
 * Rule: the event loop's thread only.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/pgsql.h>
#include <kore/tasks.h>

#include "kore/adapter.h"

/* A request is being put to sleep for a transfer of libcurl's. */
static int binds_curl;

/* A query or a task that has ended may be kept while it sleeps for another
 * reason. */
enum pp_wait
pp_flight_reason(const struct http_request *req, int timer)
{
	const struct kore_pgsql *pgsql;
	const struct kore_task *task;

	if (req->runlock != NULL)
		return (PP_WAIT_RUNLOCK);
	if (binds_curl)
		return (PP_WAIT_CURL);
	LIST_FOREACH(pgsql, &req->pgsqls, rlist) {
		if (pgsql->state == KORE_PGSQL_STATE_INIT ||
		    pgsql->state == KORE_PGSQL_STATE_WAIT)
			return (PP_WAIT_PGSQL);
	}
	LIST_FOREACH(task, &req->tasks, rlist) {
		if (__atomic_load_n(&task->state, __ATOMIC_RELAXED) !=
		    KORE_TASK_STATE_FINISHED)
			return (PP_WAIT_TASK);
	}
	return (timer ? PP_WAIT_TIMER : PP_WAIT_SLEEP);
}

void (*pp_flight_real_bind_curl)(struct kore_curl *, struct http_request *);

/* Which a request knows only after it has been put to sleep for it. */
void
pp_flight_bind_curl(struct kore_curl *client, struct http_request *req)
{
	binds_curl = 1;
	pp_flight_real_bind_curl(client, req);
	binds_curl = 0;
}
