/*
 * The flight recorder: CPU samples of the last 15 minutes, always.
 *
 * The recorder is one CPU session (cpu.h) at a low rate that never ends. After
 * every PP_SLICE_NS the samples of the session are packed into a slice; a
 * question about the past is answered from the slices, and from the samples
 * since the last one.
 *
 * Not a second way to sample: the samples are those of cpu.h.
 *
 * Rule: cold, one thread. Bounded in time (PP_SLICES_MAX) and in memory
 * (PP_RECORDER_BYTES): the oldest slices go first.
 */
#ifndef PP_CPU_RECORDER_H
#define PP_CPU_RECORDER_H

#include <stdint.h>

#include "cpu/cpu.h"

struct pp_recorder;

/* If `hz` is 0 or above PP_RECORDER_HZ_MAX, the recorder is off. `cpu` stays
 * the caller's, and must live longer than the recorder. NULL: out of memory. */
struct pp_recorder *pp_recorder_new(struct pp_cpu *cpu, uint64_t hz);
void pp_recorder_free(struct pp_recorder *recorder);

/* Return the rate of the recorder in samples per second; 0: off. */
unsigned int pp_recorder_hz(const struct pp_recorder *recorder);

/* Close the slice when its time is over. `now` is of CLOCK_MONOTONIC, in
 * nanoseconds, and so is the result: when to call again. */
int64_t pp_recorder_tick(struct pp_recorder *recorder, int64_t now);

/* Hand out addresses that slices have brought, at most `room` of them, each one
 * once. Returns how many; 0: no more. */
uint32_t pp_recorder_unnamed(struct pp_recorder *recorder, uint64_t *address,
    uint32_t room);

/* What the recorder holds. */
struct pp_recorder_facts {
	int64_t reach_ns; /* how far back the samples go */
	uint32_t slices;
	uint64_t bytes;	  /* of the slices */
	uint64_t dropped; /* slices that memory had no room for */
	/* Sums over `reach_ns`, with the slice that is not closed yet. */
	double kernel_s;   /* CPU time of the workers */
	double children_s; /* and of children they have waited for */
	double sampled_s;
};
void pp_recorder_measure(struct pp_recorder *recorder, int64_t now,
    struct pp_recorder_facts *facts);

/*
 * Return the profile of the time from `since_s` to `until_s` seconds before
 * `now`, to the nearest slice, without symbols; the caller frees it. NULL with
 * errno: ENOENT when there is no slice of that time, ENOMEM.
 */
struct pp_profile *pp_recorder_profile(struct pp_recorder *recorder,
    int64_t now, int64_t since_s, int64_t until_s);

#endif
