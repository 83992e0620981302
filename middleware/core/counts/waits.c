/*
 * From counters of the block and mutex tables to a profile; see waits.h.
 */
#include "counts/waits.h"
#include "counts/aggregate.h"
#include "store/counters.h"
#include "store/waits.h"

const char *
pp_waits_state(uint32_t wait)
{
	static const char *const state[PP_WAIT_COUNT] = {
#define WAIT_STATE(name, state, sentence) state,
		PP_WAIT_TABLE(WAIT_STATE)
#undef WAIT_STATE
	};

	return (wait < PP_WAIT_COUNT ? state[wait] : NULL);
}

const char *
pp_waits_call(uint32_t call)
{
	static const char *const name[PP_CALL_COUNT] = {
#define CALL_NAME(name, others) #name,
		PP_CALL_TABLE(CALL_NAME)
#undef CALL_NAME
	};

	if (call == PP_CALL_system_call)
		return ("[in a system call]");
	return (call < PP_CALL_COUNT ? name[call] : NULL);
}

static const char *
waits_text(uint32_t wait)
{
	return (wait < PP_WAIT_COUNT ? pp_waits_state(wait)
				     : pp_waits_call(wait - PP_WAIT_COUNT));
}

static const struct pp_aggregate_kind waits_kind[] = {
	[PP_WAITS_BLOCK] = { { { "contentions", "count" },
				 { "delay", "nanoseconds" } },
	    PP_WAITS_VALUE_DELAY, "wait" },
	/* Mutex samples have the label, too: one stack may release two sorts of
	 * lock. */
	[PP_WAITS_MUTEX] = { { { "contentions", "count" },
				 { "delay", "nanoseconds" } },
	    PP_WAITS_VALUE_DELAY, "wait" },
};

static struct pp_counters
waits_counters(const struct pp_resolver *resolver, uint32_t slot,
    enum pp_waits which)
{
	struct pp_slot *from = &resolver->arena->slot[slot];

	return (pp_counters_waits(
	    which == PP_WAITS_BLOCK ? &from->block : &from->mutex));
}

uint64_t
pp_waits_count(const struct pp_resolver *resolver, enum pp_waits which)
{
	struct pp_counters counters;
	uint64_t count = 0;
	uint32_t slot, used, i;

	for (slot = 1; slot < resolver->slots; slot++) {
		counters = waits_counters(resolver, slot, which);
		used = pp_counters_used(&counters);
		for (i = 0; i < used; i++)
			count += atomic_load(&counters.counter[i].key) != 0;
	}
	return (count);
}

/* Add the slot's counters, with the slot's own ids. Returns -1 when out of
 * memory. */
static int
waits_copy(struct pp_aggregate *aggregate, uint32_t slot, enum pp_waits which,
    uint64_t *malformed)
{
	struct pp_counters counters =
	    waits_counters(aggregate->ids.resolver, slot, which);
	struct pp_aggregate_entry entry = { .slot = slot };
	uint32_t used = pp_counters_used(&counters), i, wait;
	uint64_t key;

	for (i = 0; i < used; i++) {
		key = atomic_load_explicit(&counters.counter[i].key,
		    memory_order_acquire);
		if (key == 0)
			continue;
		pp_wait_unpack(key, &wait, &entry.label, &entry.stack);
		/* Each wait has a reason: a counter without one is damaged. */
		entry.text = waits_text(wait);
		if (wait == PP_WAIT_NONE || entry.text == NULL) {
			++*malformed;
			continue;
		}
		entry.value[PP_WAITS_VALUE_CONTENTIONS] = atomic_load(
		    &counters.counter[i].value[PP_WAIT_VALUE_COUNT]);
		entry.value[PP_WAITS_VALUE_DELAY] =
		    atomic_load(&counters.counter[i].value[PP_WAIT_VALUE_NS]);
		/* The counter may be made while nothing is added to it yet. */
		if (entry.value[PP_WAITS_VALUE_CONTENTIONS] != 0 &&
		    pp_aggregate_add(aggregate, &entry) == -1)
			return (-1);
	}
	return (0);
}

static int
waits_read(struct pp_aggregate *aggregate, enum pp_waits which,
    uint64_t *malformed)
{
	uint32_t slot, first;

	for (slot = 1; slot < aggregate->ids.resolver->slots; slot++) {
		first = aggregate->entries;
		if (waits_copy(aggregate, slot, which, malformed) == -1)
			return (-1);
		pp_aggregate_resolve(aggregate, slot, first);
	}
	return (0);
}

/* Round to whole contentions: the sums are rounded, not their parts, so that
 * little is lost. */
static void
waits_round(struct pp_aggregate *aggregate)
{
	uint64_t *count;
	uint32_t i;

	for (i = 0; i < aggregate->entries; i++) {
		count = &aggregate->entry[i].value[PP_WAITS_VALUE_CONTENTIONS];
		*count = (*count + PP_WAIT_ONE / 2) / PP_WAIT_ONE;
	}
}

static void
waits_comments(struct pp_build *build, const struct pp_aggregate *aggregate,
    uint64_t malformed)
{
	const struct pp_control *control =
	    &aggregate->ids.resolver->arena->control;

	pp_profile_comment(build->p, "block_rate_ns=%llu",
	    (unsigned long long)atomic_load(&control->block_rate_ns));
	pp_profile_comment(build->p, "mutex_fraction=%llu",
	    (unsigned long long)atomic_load(&control->mutex_fraction));
	pp_aggregate_comments(aggregate, build, "waits_");
	pp_profile_comment(build->p, "wait_rows_malformed=%llu",
	    (unsigned long long)malformed);
}

struct pp_profile *
pp_waits_profile(struct pp_resolver *resolver, enum pp_waits which)
{
	struct pp_build *build = NULL;
	struct pp_aggregate aggregate;
	uint64_t malformed = 0;

	if (pp_aggregate_begin(&aggregate, resolver) == 0 &&
	    waits_read(&aggregate, which, &malformed) == 0) {
		pp_aggregate_merge(&aggregate);
		waits_round(&aggregate);
		build = pp_aggregate_build(&aggregate, &waits_kind[which]);
		if (build != NULL)
			waits_comments(build, &aggregate, malformed);
	}
	pp_aggregate_end(&aggregate);
	return (pp_build_done(build));
}
