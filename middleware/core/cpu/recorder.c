/*
 * The slices of the flight recorder: when a slice is closed and when it is
 * dropped. See recorder.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cpu/recorder_private.h"

struct pp_recorder *
pp_recorder_new(struct pp_cpu *cpu, uint64_t hz)
{
	struct pp_recorder *recorder;

	if ((recorder = calloc(1, sizeof(*recorder))) == NULL)
		return (NULL);
	recorder->cpu = cpu;
	recorder->bytes_max = PP_RECORDER_BYTES;
	/* `hz` was read from the arena, so that it may be any number. */
	if (hz == 0 || hz > PP_RECORDER_HZ_MAX)
		return (recorder);
	recorder->hz = (unsigned int)hz;
	recorder->session = pp_cpu_begin(cpu, recorder->hz);
	if (recorder->session == NULL) {
		free(recorder);
		return (NULL);
	}
	cpu->always = 1;
	return (recorder);
}

static void
recorder_drop(struct pp_recorder *recorder)
{
	struct pp_slice *slice = pp_recorder_slice(recorder, 0);

	recorder->bytes -= slice->data.room;
	pp_buf_free(&slice->data);
	recorder->first = (recorder->first + 1) % PP_SLICES_MAX;
	recorder->slices--;
}

void
pp_recorder_free(struct pp_recorder *recorder)
{
	if (recorder == NULL)
		return;
	while (recorder->slices > 0)
		recorder_drop(recorder);
	if (recorder->session != NULL) {
		recorder->cpu->always = 0;
		pp_cpu_cancel(recorder->session);
	}
	free(recorder->unnamed);
	free(recorder);
}

unsigned int
pp_recorder_hz(const struct pp_recorder *recorder)
{
	return (recorder->hz);
}

/* Drop slices that are older than anybody may ask for, and the oldest ones
 * while there are too many. */
static void
recorder_forget(struct pp_recorder *recorder, int64_t now)
{
	while (recorder->slices > 0 &&
	    now - pp_recorder_slice(recorder, 0)->ended_ns >
		PP_RECORDER_SECONDS * PP_NS_PER_SEC)
		recorder_drop(recorder);
	while (recorder->slices > 0 &&
	    (recorder->slices == PP_SLICES_MAX ||
		recorder->bytes > recorder->bytes_max)) {
		if (recorder->bytes > recorder->bytes_max)
			recorder->dropped++;
		recorder_drop(recorder);
	}
}

static void
recorder_put(struct pp_recorder *recorder, const struct pp_slice *slice,
    int64_t now)
{
	/* This makes a free place for the slice. */
	recorder_forget(recorder, now);
	recorder->bytes += slice->data.room;
	*pp_recorder_slice(recorder, recorder->slices++) = *slice;
	recorder_forget(recorder, now);
}

int64_t
pp_recorder_tick(struct pp_recorder *recorder, int64_t now)
{
	struct pp_cpu_session *session = recorder->session, *next;
	struct pp_slice slice = { 0 };

	if (session == NULL)
		return (INT64_MAX);
	if (now - session->mono_ns < PP_SLICE_NS)
		return (session->mono_ns + PP_SLICE_NS);
	/* From here on samples go to the next session. */
	next = pp_cpu_rotate(session);
	if (next == NULL)
		return (now + PP_SLICE_NS);
	if (pp_slice_pack(session, &slice) == 0) {
		recorder_put(recorder, &slice, now);
	} else {
		recorder->dropped++;
		pp_buf_free(&slice.data);
	}
	pp_recorder_note(recorder, session);
	pp_cpu_retire(session);
	recorder->session = next;
	return (next->mono_ns + PP_SLICE_NS);
}

int
pp_recorder_peek(struct pp_recorder *recorder, struct pp_slice *slice)
{
	struct pp_cpu_session *copy;
	int status;

	memset(slice, 0, sizeof(*slice));
	if (recorder->session == NULL ||
	    (copy = pp_cpu_copy(recorder->session)) == NULL)
		return (-1);
	status = pp_slice_pack(copy, slice);
	free(copy);
	if (status == -1)
		pp_buf_free(&slice->data);
	return (status);
}

/* Begin the facts with the slice that is not closed yet. */
static void
recorder_open(struct pp_recorder *recorder, struct pp_recorder_facts *facts)
{
	struct pp_cpu_session *copy = pp_cpu_copy(recorder->session);
	uint64_t ns;
	uint32_t i;

	if (copy == NULL)
		return;
	facts->reach_ns = copy->duration_ns;
	facts->kernel_s = copy->kernel_s;
	facts->children_s = copy->children_s;
	ns = copy->overflow.ns;
	for (i = 0; i < copy->entries; i++)
		ns += copy->entry[i].ns;
	facts->sampled_s = (double)ns / PP_NS_PER_SEC;
	free(copy);
}

void
pp_recorder_measure(struct pp_recorder *recorder, int64_t now,
    struct pp_recorder_facts *facts)
{
	const struct pp_slice *slice;
	uint32_t i;

	memset(facts, 0, sizeof(*facts));
	if (recorder->session == NULL)
		return;
	recorder_open(recorder, facts);
	facts->slices = recorder->slices;
	facts->bytes = recorder->bytes;
	facts->dropped = recorder->dropped;
	for (i = 0; i < recorder->slices; i++) {
		slice = pp_recorder_slice(recorder, i);
		if (i == 0)
			facts->reach_ns = now - slice->begun_ns;
		facts->kernel_s += slice->kernel_s;
		facts->children_s += slice->children_s;
		facts->sampled_s += slice->sampled_s;
	}
}
