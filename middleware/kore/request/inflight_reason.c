/*
 * These functions find what a request that goes to sleep waits for, by Kore's
 * own structures. Which requests sleep and since when is in inflight.c.
 *
 * Rule: the event loop's thread only.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/pgsql.h>
#include <kore/tasks.h>

#include "kore/adapter.h"

/* 1: a request is being put to sleep for a transfer of libcurl. */
static int binds_curl;

/* A query or a task that has ended may stay in the request's list while the
 * request sleeps for another reason: only those that are not done count. */
enum pp_wait
pp_inflight_reason(const struct http_request *req, int timer)
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

void (*pp_inflight_real_bind_curl)(struct kore_curl *, struct http_request *);

/* The request gets the transfer into its list only after it has been put to
 * sleep, so a flag says meanwhile what the request sleeps for. */
void
pp_inflight_bind_curl(struct kore_curl *client, struct http_request *req)
{
	binds_curl = 1;
	pp_inflight_real_bind_curl(client, req);
	binds_curl = 0;
}
