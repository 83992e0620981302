/*
 * Threads and forks as a profile; see births.h.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "counts/births.h"
#include "counts/tally.h"

static const struct pp_tally_kind births_kind = {
	{ { "threadcreate", "count" } }, 0, NULL
};

static int32_t
births_pid(const struct pp_resolver *resolver, uint32_t slot)
{
	return (atomic_load(&resolver->arena->slot[slot].life.pid));
}

/* Whether somebody created the thread: a worker's first thread was forked. */
static int
births_is_created(const struct pp_thread_facts *facts, int32_t pid)
{
	uint32_t tid = atomic_load(&facts->tid);

	return (tid != 0 && tid != (uint32_t)pid);
}

uint64_t
pp_births_count(const struct pp_resolver *resolver)
{
	uint64_t count = 0;
	uint32_t slot, i;
	int32_t pid;

	for (slot = 1; slot < resolver->slots; slot++) {
		if ((pid = births_pid(resolver, slot)) <= 0)
			continue;
		count++;
		for (i = 0; i < PP_THREADS_MAX; i++)
			count += (uint64_t)births_is_created(
			    &resolver->arena->slot[slot].thread[i], pid);
	}
	return (count);
}

static int
births_threads(struct pp_tally *tally, uint32_t slot)
{
	const struct pp_resolver *resolver = tally->ids.resolver;
	int32_t pid = births_pid(resolver, slot);
	struct pp_tally_row row = { .slot = slot, .value = { 1, 0 } };
	const struct pp_thread_facts *facts;
	uint32_t i, first = tally->rows;

	for (i = 0; pid > 0 && i < PP_THREADS_MAX; i++) {
		facts = &resolver->arena->slot[slot].thread[i];
		if (!births_is_created(facts, pid))
			continue;
		row.stack = atomic_load(&facts->creator);
		row.label = atomic_load(&facts->creator_label);
		if (pp_tally_add(tally, &row) == -1)
			return (-1);
	}
	pp_tally_resolve(tally, slot, first);
	return (0);
}

/* Add the stacks at which the parent forked each worker: the stacks of slot
 * 0. */
static int
births_forks(struct pp_tally *tally)
{
	const struct pp_resolver *resolver = tally->ids.resolver;
	struct pp_tally_row row = { .value = { 1, 0 } };
	uint32_t slot, first = tally->rows;

	for (slot = 1; slot < resolver->slots; slot++) {
		if (births_pid(resolver, slot) <= 0)
			continue;
		row.slot = slot;
		row.stack =
		    atomic_load(&resolver->arena->slot[slot].life.fork_stack);
		if (pp_tally_add(tally, &row) == -1)
			return (-1);
	}
	pp_tally_resolve(tally, 0, first);
	return (0);
}

/* Write "route=/fib/ method=GET" of a label set, as far as the set has them. */
static void
births_route(struct pp_resolve *ids, uint32_t label, char *out, size_t room)
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
births_why(struct pp_build *build, struct pp_tally *tally, uint32_t slot)
{
	struct pp_life *life = &tally->ids.resolver->arena->slot[slot].life;
	uint32_t deaths = atomic_load(&life->deaths), label;
	int32_t status = atomic_load(&life->last_status);
	char route[PP_LABEL_SET_MAX + 32];

	if (deaths == 0)
		return;
	pp_resolve_slot(&tally->ids, slot);
	label = pp_resolve_label(&tally->ids, atomic_load(&life->last_label));
	births_route(&tally->ids, label, route, sizeof(route));
	pp_profile_comment(build->p,
	    PP_BIRTHS_WORKER "%u_restarts=%u last=%s %d%s", slot, deaths,
	    WIFSIGNALED(status) ? "signal" : "exit",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
	    route);
}

struct pp_profile *
pp_births_profile(struct pp_resolver *resolver)
{
	struct pp_build *build = NULL;
	struct pp_tally tally;
	uint32_t slot;
	int status;

	status = pp_tally_begin(&tally, resolver);
	for (slot = 1; status == 0 && slot < resolver->slots; slot++)
		status = births_threads(&tally, slot);
	if (status == 0 && births_forks(&tally) == 0) {
		pp_tally_merge(&tally);
		build = pp_tally_build(&tally, &births_kind);
	}
	if (build != NULL) {
		for (slot = 1; slot < resolver->slots; slot++)
			births_why(build, &tally, slot);
		pp_tally_comments(&tally, build, "threads_");
	}
	pp_tally_end(&tally);
	return (pp_build_done(build));
}
