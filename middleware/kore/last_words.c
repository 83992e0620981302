/*
 * What a worker leaves that a signal has ended: its requests in progress,
 * copied by the parent while they are still there. The next worker clears the
 * table, and the collector may not have looked before.
 *
 * Rule: the worker may have been writing when it died, or have been taken
 * over: numbers are checked, texts are read by the collector with care.
 */
#include <string.h>

#include "base/clock.h"
#include "base/wire.h"
#include "kore/adapter.h"

static void
last_take(struct pp_last_words *last, const struct pp_flight *flight)
{
	memcpy(&last->flight[last->kept++], flight, sizeof(*flight));
}

void
pp_last_words_keep(struct pp_slot *slot, pid_t pid, int status)
{
	uint32_t number = atomic_load(&slot->life.deaths), used, i;
	struct pp_last_words *last = &slot->last[number % PP_LAST_DEATHS];
	const struct pp_flight *flight;
	const struct pp_wire_look look = { PP_WIRE_VERSION, PP_WIRE_LOOK };
	uint64_t id;

	atomic_store(&last->number, 0);
	last->pid = pid;
	last->status = status;
	last->died_ns = pp_clock_mono();
	last->running = atomic_load(&slot->flights.running);
	last->flights = last->kept = 0;
	used = atomic_load(&slot->flights.used);
	if (used > PP_FLIGHTS_MAX)
		used = PP_FLIGHTS_MAX;
	for (i = 0; i < used; i++) {
		if (last->running != 0 &&
		    atomic_load(&slot->flights.flight[i].id) == last->running)
			last_take(last, &slot->flights.flight[i]);
		if (last->kept != 0)
			break;
	}
	for (i = 0; i < used; i++) {
		flight = &slot->flights.flight[i];
		id = atomic_load(&flight->id);
		if (id == 0)
			continue;
		last->flights++;
		if (id != last->running && last->kept < PP_LAST_FLIGHTS)
			last_take(last, flight);
	}
	atomic_store(&last->number, number);
	/* The collector looks by itself, too, if it watches for stalls. */
	(void)pp_wire_send(pp_kore.socket, &look, sizeof(look), NULL, 0);
}
