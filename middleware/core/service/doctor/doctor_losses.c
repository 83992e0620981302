/*
 * How far profiles can be believed: what was lost, how full the tables are, and
 * what the accounts of kernel and allocator say. See doctor.h.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/doctor/doctor.h"
#include "service/endpoints/endpoint.h"
#include "store/heap.h"

#define MIB (1024.0 * 1024.0)

/*
 * A table this full, in percent, loses something soon or already does: a new
 * entry is rarely as small as the room that is left.
 */
#define FULL_SOON 80
#define FULL_NOW  98

/*
 * These counters stand for no lost time: the time is in other samples, or only
 * the callers are unknown.
 */
static int
loss_is_fact(uint32_t loss)
{
	return (loss == PP_LOSS_TIMER_OVERRUNS ||
	    loss == PP_LOSS_STACKS_SHORT || loss == PP_LOSS_HEAP_SHORT ||
	    loss == PP_LOSS_WAITS_SHORT);
}

static void
losses_counted(struct pp_doctor *doctor)
{
	static const struct {
		const char *key, *sentence;
	} loss[] = {
#define DOCTOR_LOSS(name, key, sentence) { key, sentence },
		PP_LOSS_TABLE(DOCTOR_LOSS)
	};
	const struct pp_service *service = doctor->service;
	uint64_t count;
	int any = 0;
	uint32_t i;

	for (i = 0; i < PP_LOSS_COUNT; i++) {
		count = pp_build_loss(service->arena, service->slots, i);
		if (count == 0)
			continue;
		any |= !loss_is_fact(i);
		pp_doctor_say(doctor, loss[i].key,
		    loss_is_fact(i) ? PP_VERDICT_OK : PP_VERDICT_DEGRADED,
		    "%llu %s.", (unsigned long long)count, loss[i].sentence);
	}
	if (!any)
		pp_doctor_say(doctor, "losses", PP_VERDICT_OK,
		    "Nothing was lost since the start of the service.");
}

static void
fill_say(struct pp_doctor *doctor, const char *name, const char *what,
    uint64_t used, uint64_t room, uint32_t slot)
{
	unsigned int percent = (unsigned int)(used * 100 / room);

	if (percent > 100)
		percent = 100;
	pp_doctor_say(doctor, name,
	    percent >= FULL_NOW	       ? PP_VERDICT_BROKEN
		: percent >= FULL_SOON ? PP_VERDICT_DEGRADED
				       : PP_VERDICT_OK,
	    "%s: %u%% full in worker %u, the fullest (%llu of %llu)%s", what,
	    percent, slot, (unsigned long long)used, (unsigned long long)room,
	    percent >= FULL_NOW ? "; what is new is lost." : ".");
}

/* Returns how full the fullest slot of one table is. */
#define FILL(doctor, name, what, member, room)                                 \
	do {                                                                   \
		uint64_t most_ = 0, used_;                                     \
		uint32_t at_ = 1, slot_;                                       \
		for (slot_ = 1; slot_ < (doctor)->service->slots; slot_++) {   \
			used_ = atomic_load(                                   \
			    &(doctor)->service->arena->slot[slot_].member);    \
			if (used_ > most_) {                                   \
				most_ = used_;                                 \
				at_ = slot_;                                   \
			}                                                      \
		}                                                              \
		fill_say(doctor, name, what, most_, room, at_);                \
	} while (0)

static void
losses_tables(struct pp_doctor *doctor)
{
	FILL(doctor, "arena_labels", "Label sets", labels.used, PP_LABEL_WORDS);
	FILL(doctor, "arena_stacks", "Stacks that stay", stacks.used,
	    PP_STACK_WORDS);
	FILL(doctor, "arena_heap", "Sums of the heap", heap.used,
	    PP_HEAP_COUNTERS);
	FILL(doctor, "arena_block", "Sums of waits", block.used,
	    PP_WAIT_COUNTERS);
	FILL(doctor, "arena_mutex", "Sums of contentions", mutex.used,
	    PP_WAIT_COUNTERS);
	FILL(doctor, "arena_own", "The application's own profiles",
	    custom.counters.used, PP_WAIT_COUNTERS);
	FILL(doctor, "arena_objects", "Loaded objects", objects.used,
	    PP_OBJECTS_MAX);
	FILL(doctor, "arena_flights",
	    "Requests and tasks in progress, the most so far", inflights.used,
	    PP_INFLIGHT_MAX);
}

/*
 * A thread's samples are off by at most half a period to either side, and that
 * in each slice, also in the slice that is not closed.
 */
static double
cpu_slack(const struct pp_service *service,
    const struct pp_recorder_facts *facts)
{
	double threads = 0;
	uint32_t slot;

	for (slot = 1; slot < service->slots; slot++)
		threads +=
		    atomic_load(&service->arena->slot[slot].threads_used);
	return (threads * 0.5 / pp_recorder_hz(service->recorder) *
	    sqrt(facts->slices + 1));
}

/*
 * The CPU time that the recorder sampled, and the CPU time by the kernel's
 * clocks.
 */
static void
losses_cpu(struct pp_doctor *doctor)
{
	struct pp_service *service = doctor->service;
	struct pp_recorder_facts facts;
	double part, off;

	if (pp_recorder_hz(service->recorder) == 0) {
		pp_doctor_say(doctor, "cpu_accounts", PP_VERDICT_OK,
		    "The flight recorder is off: there is nothing to hold "
		    "against the kernel's account.");
		return;
	}
	pp_recorder_measure(service->recorder, pp_clock_mono(), &facts);
	if (facts.kernel_s < 1) {
		pp_doctor_say(doctor, "cpu_accounts", PP_VERDICT_OK,
		    "The workers have used %.2f s of CPU in the last %.0f s: "
		    "too little to compare.",
		    facts.kernel_s, (double)facts.reach_ns / PP_NS_PER_SEC);
		return;
	}
	part = facts.sampled_s / facts.kernel_s;
	off =
	    fabs(facts.sampled_s - facts.kernel_s) - cpu_slack(service, &facts);
	pp_doctor_say(doctor, "cpu_accounts",
	    off > 0.5 * facts.kernel_s	     ? PP_VERDICT_BROKEN
		: off > 0.1 * facts.kernel_s ? PP_VERDICT_DEGRADED
					     : PP_VERDICT_OK,
	    "Of %.2f s of CPU that the kernel counted for the workers in the "
	    "last %.0f s, %.2f s (%.0f%%) are in samples.",
	    facts.kernel_s, (double)facts.reach_ns / PP_NS_PER_SEC,
	    facts.sampled_s, part * 100);
}

/* These bytes are in neither of the two accounts. */
static void
losses_children(struct pp_doctor *doctor)
{
	struct pp_service *service = doctor->service;
	struct pp_recorder_facts facts;

	pp_recorder_measure(service->recorder, pp_clock_mono(), &facts);
	if (facts.children_s > 0)
		pp_doctor_say(doctor, "cpu_children", PP_VERDICT_OK,
		    "Children that workers have waited for in the last %.0f s "
		    "used %.2f s of CPU, which are not sampled.",
		    (double)facts.reach_ns / PP_NS_PER_SEC, facts.children_s);
}

static double
pools_used(const struct pp_memory_facts *facts)
{
	double bytes = 0;
	uint32_t i;

	for (i = 0; i < facts->pools && i < PP_POOLS_MAX; i++)
		bytes += (double)facts->pool[i].used *
		    (double)facts->pool[i].element;
	return (bytes);
}

/*
 * Three standard deviations of random samples, and the memory that kore
 * allocated at its start, before sampling began.
 */
static double
memory_slack(double used, double rate, uint32_t workers)
{
	return (3 * sqrt(used * rate) + 4 * MIB * workers);
}

static void
losses_memory(struct pp_doctor *doctor)
{
	const struct pp_service *service = doctor->service;
	double used = 0, live, rate;
	struct pp_memory_worker *worker;
	uint32_t slot, answered = 0, asked = 0;

	rate = (double)atomic_load(&service->arena->control.heap_rate);
	live = (double)pp_heap_reader_live(service->heap);
	if ((worker = calloc(1, sizeof(*worker))) == NULL)
		return;
	for (slot = 1; slot < service->slots; slot++) {
		pp_memory_read(service->memory, slot, doctor->question, worker);
		asked += worker->pid != 0;
		if (!worker->answered)
			continue;
		answered++;
		used += (double)worker->facts.malloc_used +
		    (double)worker->facts.malloc_mapped +
		    pools_used(&worker->facts);
	}
	free(worker);
	if (rate == 0)
		pp_doctor_say(doctor, "memory_accounts", PP_VERDICT_DEGRADED,
		    "The heap profiler is off (heap_rate is 0): %.1f MiB that "
		    "the allocators have given out are explained by nothing.",
		    used / MIB);
	else if (answered < asked)
		pp_doctor_say(doctor, "memory_accounts", PP_VERDICT_DEGRADED,
		    "%u of %u workers did not say what their allocators hold: "
		    "their event loops are held.",
		    asked - answered, asked);
	else
		pp_doctor_say(doctor, "memory_accounts",
		    fabs(used - live) <=
			    0.25 * used + memory_slack(used, rate, answered)
			? PP_VERDICT_OK
			: PP_VERDICT_DEGRADED,
		    "The allocators have given out %.1f MiB in %u workers, "
		    "the heap profile explains %.1f MiB; at one sample in "
		    "%.0f KiB they may differ by chance by %.1f MiB.",
		    used / MIB, answered, live / MIB, rate / 1024,
		    memory_slack(used, rate, answered) / MIB);
}

void
pp_doctor_losses(struct pp_doctor *doctor)
{
	losses_counted(doctor);
	losses_cpu(doctor);
	losses_children(doctor);
	losses_memory(doctor);
	losses_tables(doctor);
}
