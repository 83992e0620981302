/*
 * The public functions of pprof.h besides the routes: labels, rates, custom
 * profiles, and the application's own records in a trace. pprof.h says what
 * each function promises.
 *
 * Rule: in a process that is no worker, the functions do nothing and say so by
 * their result. They never wait.
 */
#include <kore/kore.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ask.h"
#include "capture/custom.h"
#include "capture/label.h"
#include "capture/trace.h"
#include "capture/trace_user.h"
#include "kore/adapter.h"
#include "kore/request/inflight_table.h"
#define PPROF_NO_SHIM
#include "pprof.h"

#define EXPORT __attribute__((visibility("default")))

struct pprof_profile {
	char name[PP_CUSTOM_NAME_MAX];
};

EXPORT int
pprof_label_push(const char *key, const char *value)
{
	if (key == NULL || value == NULL) {
		errno = EINVAL;
		return (-1);
	}
	return (pp_label_push(key, value));
}

EXPORT void
pprof_label_pop(void)
{
	pp_label_pop();
}

/* All workers share the control words, and each worker looks at them when it
 * gets a signal. */
static void
api_wake_workers(void)
{
	uint32_t i;
	pid_t pid;

	for (i = 1; i < pp_kore.slots; i++) {
		pid = atomic_load(&pp_kore.arena->slot[i].life.pid);
		if (pid > 1)
			(void)pp_ask(pid, 0, PP_ASK_CONTROL);
	}
}

static int64_t
api_set_rate(_Atomic uint64_t *rate, int64_t value, int64_t most)
{
	int64_t was;

	was = (int64_t)atomic_load(rate);
	if (value < 0)
		return (was);
	if (value > most)
		value = most;
	atomic_store(rate, (uint64_t)value);
	api_wake_workers();
	return (was);
}

EXPORT int64_t
pprof_set_heap_rate(int64_t bytes)
{
	if (pp_self.worker == 0)
		return (-1);
	return (api_set_rate(&pp_kore.arena->control.heap_rate, bytes,
	    PP_HEAP_RATE_MAX));
}

EXPORT int64_t
pprof_set_block_profile_rate(int64_t ns)
{
	if (pp_self.worker == 0)
		return (-1);
	return (api_set_rate(&pp_kore.arena->control.block_rate_ns, ns,
	    PP_BLOCK_RATE_MAX));
}

EXPORT int64_t
pprof_set_mutex_profile_fraction(int64_t n)
{
	if (pp_self.worker == 0)
		return (-1);
	return (api_set_rate(&pp_kore.arena->control.mutex_fraction, n,
	    PP_MUTEX_FRACTION_MAX));
}

EXPORT struct pprof_profile *
pprof_profile_new(const char *name)
{
	struct pprof_profile *profile;

	if (pp_custom_place(name != NULL ? name : "") == -1)
		return (NULL);
	profile = calloc(1, sizeof(*profile));
	if (profile != NULL)
		(void)strcpy(profile->name, name);
	return (profile);
}

EXPORT void
pprof_profile_free(struct pprof_profile *profile)
{
	free(profile);
}

EXPORT int
pprof_profile_add(struct pprof_profile *profile, const void *key, int skip)
{
	if (profile == NULL || key == NULL) {
		errno = EINVAL;
		return (-1);
	}
	return (pp_custom_add(profile->name, key, skip));
}

EXPORT int
pprof_profile_remove(struct pprof_profile *profile, const void *key)
{
	if (profile == NULL || key == NULL) {
		errno = EINVAL;
		return (-1);
	}
	return (pp_custom_remove(profile->name, key));
}

EXPORT uint64_t
pprof_trace_task_begin(const char *type)
{
	uint64_t task;

	if (!pp_trace_active() || type == NULL)
		return (0);
	task = pp_inflight_task_id();
	return (pp_trace_user_task(task, type) == 0 ? task : 0);
}

EXPORT void
pprof_trace_task_end(uint64_t task)
{
	if (pp_trace_active() && task != 0)
		pp_trace_user_task_end(task);
}

EXPORT void
pprof_trace_region_begin(const char *type)
{
	if (pp_trace_active())
		pp_trace_user_region(type != NULL ? type : "");
}

EXPORT void
pprof_trace_region_end(void)
{
	if (pp_trace_active())
		pp_trace_user_region_end();
}

EXPORT void
pprof_trace_log(const char *category, const char *message)
{
	if (pp_trace_active() && message != NULL)
		pp_trace_user_log(category != NULL ? category : "", message);
}
