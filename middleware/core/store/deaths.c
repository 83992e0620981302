/*
 * See deaths.h.
 *
 * Rule: the process may have died while it wrote, or may have been taken over.
 * Therefore numbers are checked here, and the collector checks the texts.
 */
#include <string.h>

#include "base/clock.h"
#include "store/deaths.h"

/* The label set of the request whose handler ran; 0: none. */
static uint32_t
deaths_label(const struct pp_flights *flights)
{
	uint64_t running = atomic_load(&flights->running);
	uint32_t used = atomic_load(&flights->used), i;

	for (i = 0; running != 0 && i < used && i < PP_FLIGHTS_MAX; i++) {
		if (atomic_load(&flights->flight[i].id) == running)
			return (atomic_load(&flights->flight[i].label));
	}
	return (0);
}

/* Fills a crash record in the caller's own memory: in the arena another process
 * could change `kept`, which indexes, between two steps. */
static void
deaths_words(const struct pp_flights *flights, struct pp_last_words *last)
{
	uint32_t used = atomic_load(&flights->used), i;
	const struct pp_flight *flight;
	uint64_t id;

	last->died_ns = pp_clock_mono();
	last->running = atomic_load(&flights->running);
	if (used > PP_FLIGHTS_MAX)
		used = PP_FLIGHTS_MAX;
	for (i = 0; last->running != 0 && last->kept == 0 && i < used; i++) {
		flight = &flights->flight[i];
		if (atomic_load(&flight->id) == last->running)
			memcpy(&last->flight[last->kept++], flight,
			    sizeof(*flight));
	}
	for (i = 0; i < used; i++) {
		flight = &flights->flight[i];
		id = atomic_load(&flight->id);
		if (id == 0)
			continue;
		last->flights++;
		if (id != last->running && last->kept < PP_LAST_FLIGHTS)
			memcpy(&last->flight[last->kept++], flight,
			    sizeof(*flight));
	}
}

void
pp_deaths_put(struct pp_slot *slot, uint32_t number, int32_t pid,
    int32_t status, int words)
{
	struct pp_last_words *last = &slot->last[number % PP_LAST_DEATHS];
	struct pp_last_words mine;

	atomic_store(&last->number, 0);
	atomic_thread_fence(memory_order_release);
	if (words) {
		memset(&mine, 0, sizeof(mine));
		mine.pid = pid;
		mine.status = status;
		deaths_words(&slot->flights, &mine);
		memcpy(last, &mine, sizeof(*last));
		atomic_store(&last->number, number);
	}
	atomic_store(&slot->life.last_status, status);
	atomic_store(&slot->life.last_label, deaths_label(&slot->flights));
	atomic_store(&slot->life.deaths, number);
}

int
pp_deaths_read(const struct pp_slot *slot, uint32_t number,
    struct pp_last_words *out)
{
	const struct pp_last_words *last = &slot->last[number % PP_LAST_DEATHS];

	/* An entry that has never been used has the number 0. */
	if (number == 0 || atomic_load(&last->number) != number)
		return (-1);
	memcpy(out, last, sizeof(*out));
	atomic_thread_fence(memory_order_acquire);
	return (atomic_load(&last->number) == number ? 0 : -1);
}
