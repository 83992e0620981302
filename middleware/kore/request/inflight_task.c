/*
 * Tasks in flight: which ones are queued, and on which thread the others run.
 * The endpoint goroutine shows them, and block counts the time that they were
 * queued.
 *
 * Rule: an entry belongs to the thread that queues the task, and then to the
 * thread that runs it: Kore hands the task over under a lock, so none is needed
 * here.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/tasks.h>

#include "base/clock.h"
#include "capture/trace.h"
#include "capture/trace_user.h"
#include "capture/wait.h"
#include "kore/adapter.h"
#include "kore/request/inflight_table.h"

/* The id of the request that the task is for, or 0. Only the event loop's
 * thread may look a request up; otherwise it is the request that the calling
 * thread works for. */
static uint64_t
inflight_of_task(const struct kore_task *task)
{
	uint32_t entry = 0;

	if (task->req != NULL && pp_thread_self == pp_self.thread)
		entry = pp_inflight_find(task->req, 0);
	return (entry != 0
		? atomic_load(&pp_inflight_table()->inflight[entry].id)
		: pp_self_request);
}

uint32_t
pp_inflight_task_queued(const struct kore_task *task, uint32_t label)
{
	struct pp_inflight *inflight;
	int64_t queued = pp_clock_mono();
	uint32_t entry = pp_inflight_claim(), stack;
	uint64_t id;

	if (entry == 0)
		return (0);
	inflight = &pp_inflight_table()->inflight[entry];
	atomic_store(&inflight->task, 1);
	atomic_store(&inflight->tid, 0);
	atomic_store(&inflight->label, label);
	atomic_store(&inflight->bytes_in, 0);
	atomic_store(&inflight->bytes_out, 0);
	pp_inflight_path(inflight,
	    task->req != NULL && task->req->path != NULL ? task->req->path
							 : "");
	atomic_store(&inflight->started_ns, queued);
	atomic_store(&inflight->request, inflight_of_task(task));
	stack = pp_wait_stack();
	pp_inflight_set(inflight, PP_WAIT_QUEUE, stack, queued);
	id = pp_inflight_task_id();
	atomic_store(&inflight->id, id);
	pp_trace(PP_TRACE_TASK_QUEUED, 0, label, id,
	    atomic_load(&inflight->request), stack);
	return (entry);
}

void
pp_inflight_task_runs(uint32_t entry)
{
	struct pp_inflight *inflight;

	if (entry == 0 || pp_self.worker == 0)
		return;
	inflight = &pp_inflight_table()->inflight[entry];
	pp_trace(PP_TRACE_TASK_RUN, 0, atomic_load(&inflight->label),
	    atomic_load(&inflight->id));
	pp_self_inflight = atomic_load(&inflight->id);
	pp_self_request = atomic_load(&inflight->request);
	if (pp_thread_self != NULL)
		atomic_store(&inflight->tid, (uint32_t)pp_thread_self->tid);
	pp_inflight_waited(inflight);
}

void
pp_inflight_task_ended(uint32_t entry)
{
	if (pp_self.worker != 0)
		pp_inflight_release_entry(entry);
	if (pp_trace_active())
		pp_trace_user_returned();
	/* The record comes after the task has left the table: a task that is in
	 * the table has not ended. */
	if (pp_self_inflight != 0)
		pp_trace(PP_TRACE_TASK_END, 0, 0, pp_self_inflight);
	pp_self_inflight = pp_self_request = 0;
}
