/*
 * Threads and forks as a profile; see creations.h.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "counts/aggregate.h"
#include "counts/creations.h"

static const struct pp_aggregate_kind creations_kind = {
	{ { "threadcreate", "count" } }, 0, NULL
};

static int32_t
creations_pid(const struct pp_resolver *resolver, uint32_t slot)
{
	return (atomic_load(&resolver->arena->slot[slot].life.pid));
}

/* Whether somebody created the thread: a worker's first thread was forked. */
static int
creations_is_created(const struct pp_thread_facts *facts, int32_t pid)
{
	uint32_t tid = atomic_load(&facts->tid);

	return (tid != 0 && tid != (uint32_t)pid);
}

uint64_t
pp_creations_count(const struct pp_resolver *resolver)
{
	uint64_t count = 0;
	uint32_t slot, i;
	int32_t pid;

	for (slot = 1; slot < resolver->slots; slot++) {
		if ((pid = creations_pid(resolver, slot)) <= 0)
			continue;
		count++;
		for (i = 0; i < PP_THREADS_MAX; i++)
			count += (uint64_t)creations_is_created(
			    &resolver->arena->slot[slot].thread[i], pid);
	}
	return (count);
}

static int
creations_threads(struct pp_aggregate *aggregate, uint32_t slot)
{
	const struct pp_resolver *resolver = aggregate->ids.resolver;
	int32_t pid = creations_pid(resolver, slot);
	struct pp_aggregate_entry entry = { .slot = slot, .value = { 1, 0 } };
	const struct pp_thread_facts *facts;
	uint32_t i, first = aggregate->entries;

	for (i = 0; pid > 0 && i < PP_THREADS_MAX; i++) {
		facts = &resolver->arena->slot[slot].thread[i];
		if (!creations_is_created(facts, pid))
			continue;
		entry.stack = atomic_load(&facts->creator);
		entry.label = atomic_load(&facts->creator_label);
		if (pp_aggregate_add(aggregate, &entry) == -1)
			return (-1);
	}
	pp_aggregate_resolve(aggregate, slot, first);
	return (0);
}

/* Add the stacks at which the parent forked each worker: the stacks of slot
 * 0. */
static int
creations_forks(struct pp_aggregate *aggregate)
{
	const struct pp_resolver *resolver = aggregate->ids.resolver;
	struct pp_aggregate_entry entry = { .value = { 1, 0 } };
	uint32_t slot, first = aggregate->entries;

	for (slot = 1; slot < resolver->slots; slot++) {
		if (creations_pid(resolver, slot) <= 0)
			continue;
		entry.slot = slot;
		entry.stack =
		    atomic_load(&resolver->arena->slot[slot].life.fork_stack);
		if (pp_aggregate_add(aggregate, &entry) == -1)
			return (-1);
	}
	pp_aggregate_resolve(aggregate, 0, first);
	return (0);
}

/* Write "route=/fib/ method=GET" of a label set, as far as the set has them. */
static void
creations_route(struct pp_resolve *ids, uint32_t label, char *out, size_t room)
{
	const char *key, *value, *name;
	size_t used = 0;

	out[0] = '\0';
	for (key = pp_labels_text(ids->labels, label);
	     *key != '\0' && used < room; key = value + strlen(value) + 1) {
		value = key + strlen(key) + 1;
		if (strcmp(key, "http.route") == 0)
			name = "route";
		else if (strcmp(key, "http.method") == 0)
			name = "method";
		else
			continue;
		used += (size_t)snprintf(out + used, room - used, " %s=%s",
		    name, value);
	}
}

static void
creations_why(struct pp_build *build, struct pp_aggregate *aggregate,
    uint32_t slot)
{
	struct pp_life *life = &aggregate->ids.resolver->arena->slot[slot].life;
	uint32_t deaths = atomic_load(&life->deaths), label;
	int32_t status = atomic_load(&life->last_status);
	char route[PP_LABEL_SET_MAX + 32];

	if (deaths == 0)
		return;
	pp_resolve_slot(&aggregate->ids, slot);
	label =
	    pp_resolve_label(&aggregate->ids, atomic_load(&life->last_label));
	creations_route(&aggregate->ids, label, route, sizeof(route));
	pp_profile_comment(build->p,
	    PP_CREATIONS_WORKER "%u_restarts=%u last=%s %d%s", slot, deaths,
	    WIFSIGNALED(status) ? "signal" : "exit",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
	    route);
}

struct pp_profile *
pp_creations_profile(struct pp_resolver *resolver)
{
	struct pp_build *build = NULL;
	struct pp_aggregate aggregate;
	uint32_t slot;
	int status;

	status = pp_aggregate_begin(&aggregate, resolver);
	for (slot = 1; status == 0 && slot < resolver->slots; slot++)
		status = creations_threads(&aggregate, slot);
	if (status == 0 && creations_forks(&aggregate) == 0) {
		pp_aggregate_merge(&aggregate);
		build = pp_aggregate_build(&aggregate, &creations_kind);
	}
	if (build != NULL) {
		for (slot = 1; slot < resolver->slots; slot++)
			creations_why(build, &aggregate, slot);
		pp_aggregate_comments(&aggregate, build, "threads_");
	}
	pp_aggregate_end(&aggregate);
	return (pp_build_done(build));
}
