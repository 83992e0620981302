/*
 * The labels of a request follow the request into its task, and waits for a
 * task's channel are measured.
 *
 * A task's thread calls task->entry. While a task waits in the queue, its entry
 * is ours, and a small table remembers the application's entry and the labels.
 *
 * Rule: there is no lock, although a task may be run from any thread. A place
 * in the table belongs to the thread that has swapped the task's address into
 * it, and then to the thread that runs the task: Kore's lock of the task's
 * thread, which kore_task_run() takes afterwards, releases the rest of the
 * place to it. The exchange of NULL for an address acquires the store of NULL
 * that released the place. A task is in the table once, so an address cannot
 * mean two tasks.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/tasks.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/mix.h"
#include "capture/label.h"
#include "capture/trace.h"
#include "capture/wait.h"
#include "hook/locks.h"
#include "hook/process.h"
#include "kore/adapter.h"

struct waiting {
	_Atomic(struct kore_task *) task; /* NULL: free */
	int (*entry)(struct kore_task *);
	uint32_t label;
	uint32_t inflight;
};

/* In how many places of the table a task may be. */
#define PLACES 16

void (*pp_kore_task_real_run)(struct kore_task *);
int (*pp_kore_task_real_cond_wait)(pthread_cond_t *, pthread_mutex_t *);

static struct waiting waiting[PP_TASKS_MAX];

static struct waiting *
task_place(const struct kore_task *task, unsigned int probe)
{
	uint64_t hash = pp_mix(0, (uint64_t)(uintptr_t)task);

	return (&waiting[(hash + probe) % PP_TASKS_MAX]);
}

static int
task_entry(struct kore_task *task)
{
	struct waiting *place;
	unsigned int probe, depth;
	uint32_t was, inflight;
	int result;

	for (probe = 0; probe < PLACES; probe++) {
		place = task_place(task, probe);
		if (atomic_load(&place->task) == task)
			break;
	}
	if (probe == PLACES)
		return (KORE_RESULT_ERROR); /* not put here by us */
	task->entry = place->entry;
	was = pp_label_swap(place->label);
	inflight = place->inflight;
	atomic_store(&place->task, NULL);
	pp_inflight_task_runs(inflight);
	depth = pp_label_depth;
	result = task->entry(task);
	pp_label_unwind(depth);
	pp_inflight_task_ended(inflight);
	(void)pp_label_swap(was);
	return (result);
}

static int
task_remember(struct kore_task *task, uint32_t label)
{
	struct waiting *place;
	struct kore_task *none;
	unsigned int probe;

	for (probe = 0; probe < PLACES; probe++) {
		place = task_place(task, probe);
		none = NULL;
		/* The place is filled before the task runs: kore_task_run()
		 * hands the task over under a lock. */
		if (!atomic_compare_exchange_strong(&place->task, &none, task))
			continue;
		place->entry = task->entry;
		place->label = label;
		place->inflight = pp_inflight_task_queued(task, label);
		return (0);
	}
	return (-1);
}

/*
 * Stock Kore unlocks the lock before it signals the condition of a task's
 * thread. The thread may have taken the task by then; it wakes up to an empty
 * list and dies. A profiler's signals between the two calls make that likelier,
 * so the wait goes on while there is nothing to do. In a single binary, the
 * application's own waits come here, too.
 */
int
pp_kore_task_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	struct kore_task_thread *thread;
	uint64_t traced;
	int error;

	/* A task's thread of Kore begins with its structure as argument. */
	thread = pp_process_argument;
	if (thread == NULL || lock != &thread->lock || cond != &thread->cond ||
	    !pthread_equal(thread->tid, pthread_self()))
		return (pp_locks_cond_wait(cond, lock));
	/* A thread without a task waits for one; a trace shall say so. */
	traced = pp_trace_active() ? pp_trace_wait(PP_WAIT_COND) : 0;
	do {
		error = pp_kore_task_real_cond_wait(cond, lock);
	} while (error == 0 && TAILQ_EMPTY(&thread->tasks));
	pp_trace_waited(PP_WAIT_COND, traced);
	return (error);
}

uint32_t (
    *pp_kore_task_real_channel_read)(struct kore_task *, void *, uint32_t);
void (*pp_kore_task_real_channel_write)(struct kore_task *, void *, uint32_t);

/* A write of more bytes is taken to wait: a channel's socket does not take so
 * many at once, even if it is empty. */
#define CHANNEL_SURE 65536

/* Returns 1 if a call would have to wait for the other end and somebody
 * measures waits. Keeps errno. */
static int
task_channel_waits(struct kore_task *task, short event, uint32_t len)
{
	struct pollfd ready = { .events = event };
	int saved = errno, waits;

	if ((atomic_load_explicit(&pp_wait_watch, memory_order_relaxed) &
		(PP_WATCH_BLOCK | PP_WATCH_TRACE)) == 0 ||
	    task->thread == NULL)
		return (0);
	ready.fd =
	    task->fds[pthread_equal(pthread_self(), task->thread->tid) != 0];
	waits = len > CHANNEL_SURE || poll(&ready, 1, 0) == 0;
	errno = saved;
	return (waits);
}

struct channel_wait {
	uint64_t traced;
	int64_t began;
};

static struct channel_wait
task_channel_begins(void)
{
	struct channel_wait wait = {
		pp_trace_active() ? pp_trace_wait(PP_WAIT_CHANNEL) : 0,
		pp_clock_mono(),
	};

	return (wait);
}

static void
task_channel_ends(const struct channel_wait *wait)
{
	pp_wait_ended(PP_WAIT_CHANNEL, pp_clock_mono() - wait->began);
	pp_trace_waited(PP_WAIT_CHANNEL, wait->traced);
}

uint32_t
pp_kore_task_channel_read(struct kore_task *task, void *data, uint32_t len)
{
	struct channel_wait wait;
	uint32_t got;

	if (!task_channel_waits(task, POLLIN, 0))
		return (pp_kore_task_real_channel_read(task, data, len));
	wait = task_channel_begins();
	got = pp_kore_task_real_channel_read(task, data, len);
	task_channel_ends(&wait);
	return (got);
}

void
pp_kore_task_channel_write(struct kore_task *task, void *data, uint32_t len)
{
	struct channel_wait wait;

	if (!task_channel_waits(task, POLLOUT, len)) {
		pp_kore_task_real_channel_write(task, data, len);
		return;
	}
	wait = task_channel_begins();
	pp_kore_task_real_channel_write(task, data, len);
	task_channel_ends(&wait);
}

void
pp_kore_task_run(struct kore_task *task)
{
	uint32_t label;

	label = pp_label_now;
	/* The cache of labels is the event loop's: its thread alone may
	 * look. */
	if (label == 0 && task->req != NULL && pp_thread_self == pp_self.thread)
		label = pp_kore_route_label(task->req);
	if (pp_self.worker != 0 && task->entry != task_entry) {
		if (task_remember(task, label) == 0)
			task->entry = task_entry;
		else
			pp_slot_lose(pp_self.slot, PP_LOSS_TASKS_UNLABELLED, 1);
	}
	pp_kore_task_real_run(task);
}
