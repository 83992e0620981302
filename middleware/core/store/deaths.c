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
deaths_label(const struct pp_inflights *inflights)
{
	uint64_t running = atomic_load(&inflights->running);
	uint32_t used = atomic_load(&inflights->used), i;

	for (i = 0; running != 0 && i < used && i < PP_INFLIGHT_MAX; i++) {
		if (atomic_load(&inflights->inflight[i].id) == running)
			return (atomic_load(&inflights->inflight[i].label));
	}
	return (0);
}

/* Fills a crash record in the caller's own memory: in the arena another process
 * could change `kept`, which indexes, between two steps. */
static void
deaths_record(const struct pp_inflights *inflights,
    struct pp_crash_record *last)
{
	uint32_t used = atomic_load(&inflights->used), i;
	const struct pp_inflight *inflight;
	uint64_t id;

	last->died_ns = pp_clock_mono();
	last->running = atomic_load(&inflights->running);
	if (used > PP_INFLIGHT_MAX)
		used = PP_INFLIGHT_MAX;
	for (i = 0; last->running != 0 && last->kept == 0 && i < used; i++) {
		inflight = &inflights->inflight[i];
		if (atomic_load(&inflight->id) == last->running)
			memcpy(&last->inflight[last->kept++], inflight,
			    sizeof(*inflight));
	}
	for (i = 0; i < used; i++) {
		inflight = &inflights->inflight[i];
		id = atomic_load(&inflight->id);
		if (id == 0)
			continue;
		last->inflights++;
		if (id != last->running && last->kept < PP_CRASH_INFLIGHT)
			memcpy(&last->inflight[last->kept++], inflight,
			    sizeof(*inflight));
	}
}

void
pp_deaths_put(struct pp_slot *slot, uint32_t number, int32_t pid,
    int32_t status, int words)
{
	struct pp_crash_record *last = &slot->last[number % PP_CRASH_RECORDS];
	struct pp_crash_record mine;

	atomic_store(&last->number, 0);
	atomic_thread_fence(memory_order_release);
	if (words) {
		memset(&mine, 0, sizeof(mine));
		mine.pid = pid;
		mine.status = status;
		deaths_record(&slot->inflights, &mine);
		memcpy(last, &mine, sizeof(*last));
		atomic_store(&last->number, number);
	}
	atomic_store(&slot->life.last_status, status);
	atomic_store(&slot->life.last_label, deaths_label(&slot->inflights));
	atomic_store(&slot->life.deaths, number);
}

int
pp_deaths_read(const struct pp_slot *slot, uint32_t number,
    struct pp_crash_record *out)
{
	const struct pp_crash_record *last =
	    &slot->last[number % PP_CRASH_RECORDS];

	/* An entry that has never been used has the number 0. */
	if (number == 0 || atomic_load(&last->number) != number)
		return (-1);
	memcpy(out, last, sizeof(*out));
	atomic_thread_fence(memory_order_acquire);
	return (atomic_load(&last->number) == number ? 0 : -1);
}
