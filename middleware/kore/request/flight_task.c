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
#include "kore/request/flight_table.h"

/* The id of the request that the task is for, or 0. Only the event loop's
 * thread may look a request up; otherwise it is the request that the calling
 * thread works for. */
static uint64_t
flight_of_task(const struct kore_task *task)
{
	uint32_t entry = 0;

	if (task->req != NULL && pp_thread_self == pp_self.thread)
		entry = pp_flight_find(task->req, 0);
	return (entry != 0 ? atomic_load(&pp_flight_table()->flight[entry].id)
			   : pp_flight_request);
}

uint32_t
pp_flight_task_queued(const struct kore_task *task, uint32_t label)
{
	struct pp_flight *flight;
	int64_t queued = pp_clock_mono();
	uint32_t entry = pp_flight_claim(), stack;
	uint64_t id;

	if (entry == 0)
		return (0);
	flight = &pp_flight_table()->flight[entry];
	atomic_store(&flight->task, 1);
	atomic_store(&flight->tid, 0);
	atomic_store(&flight->label, label);
	atomic_store(&flight->bytes_in, 0);
	atomic_store(&flight->bytes_out, 0);
	pp_flight_path(flight,
	    task->req != NULL && task->req->path != NULL ? task->req->path
							 : "");
	atomic_store(&flight->started_ns, queued);
	atomic_store(&flight->request, flight_of_task(task));
	stack = pp_wait_stack();
	pp_flight_set(flight, PP_WAIT_QUEUE, stack, queued);
	id = pp_flight_task_id();
	atomic_store(&flight->id, id);
	pp_trace(PP_TRACE_TASK_QUEUED, 0, label, id,
	    atomic_load(&flight->request), stack);
	return (entry);
}

void
pp_flight_task_runs(uint32_t entry)
{
	struct pp_flight *flight;

	if (entry == 0 || pp_self.worker == 0)
		return;
	flight = &pp_flight_table()->flight[entry];
	pp_trace(PP_TRACE_TASK_RUN, 0, atomic_load(&flight->label),
	    atomic_load(&flight->id));
	pp_flight_now = atomic_load(&flight->id);
	pp_flight_request = atomic_load(&flight->request);
	if (pp_thread_self != NULL)
		atomic_store(&flight->tid, (uint32_t)pp_thread_self->tid);
	pp_flight_waited(flight);
}

void
pp_flight_task_ended(uint32_t entry)
{
	if (pp_self.worker != 0)
		pp_flight_release_entry(entry);
	if (pp_trace_active())
		pp_trace_user_returned();
	/* The record comes after the task has left the table: a task that is in
	 * the table has not ended. */
	if (pp_flight_now != 0)
		pp_trace(PP_TRACE_TASK_END, 0, 0, pp_flight_now);
	pp_flight_now = pp_flight_request = 0;
}
