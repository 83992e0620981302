/*
 * The addresses that the recorder has seen: the service looks for their names
 * while nobody waits, so that a question about the past finds the names ready.
 * See recorder.h.
 *
 * Rule: bounded, and best effort: an address that finds no place in this table
 * is looked for when somebody asks.
 */
#include <stdlib.h>

#include "base/mix.h"
#include "cpu/recorder_private.h"

#define PROBES 8

static void
names_note(uint64_t *set, uint64_t address)
{
	uint32_t at = (uint32_t)pp_mix(0, address), probe;

	for (probe = 0; probe < PROBES; probe++, at++) {
		at &= PP_RECORDER_NAMES_MAX - 1;
		if (set[at] == 0)
			set[at] = address;
		if (set[at] == address)
			return;
	}
}

void
pp_recorder_note(struct pp_recorder *recorder,
    const struct pp_cpu_session *session)
{
	const struct pp_stacks *stacks = session->cpu->stacks;
	uint32_t i, k, count;
	const uint64_t *word;

	if (recorder->unnamed == NULL)
		recorder->unnamed =
		    calloc(PP_RECORDER_NAMES_MAX, sizeof(uint64_t));
	if (recorder->unnamed == NULL)
		return;
	recorder->unnamed_at = 0;
	for (i = 0; i < session->entries; i++) {
		word =
		    pp_stacks_get(stacks, session->entry[i].key.stack, &count);
		for (k = 0; k < count; k++)
			names_note(recorder->unnamed, word[k]);
	}
}

uint32_t
pp_recorder_unnamed(struct pp_recorder *recorder, uint64_t *address,
    uint32_t room)
{
	uint32_t taken = 0, at;

	while (recorder->unnamed != NULL && taken < room) {
		at = recorder->unnamed_at++;
		if (recorder->unnamed[at] != 0)
			address[taken++] = recorder->unnamed[at];
		recorder->unnamed[at] = 0;
		if (at + 1 == PP_RECORDER_NAMES_MAX) {
			free(recorder->unnamed);
			recorder->unnamed = NULL;
		}
	}
	return (taken);
}
