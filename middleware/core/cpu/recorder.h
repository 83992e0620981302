/*
 * The flight recorder: CPU samples of the last 15 minutes, always.
 *
 * One CPU session (cpu.h) at a low rate that never ends. Every PP_SLICE_NS what
 * it has is packed and put away; a question about the past is answered from
 * those slices, and from what the session has since.
 *
 * Rule: cold. Bounded in time (PP_SLICES_MAX) and in memory
 * (PP_RECORDER_BYTES): the oldest slices go first.
 */
#ifndef PP_CPU_RECORDER_H
#define PP_CPU_RECORDER_H

#include <stdint.h>

#include "cpu/cpu.h"

struct pp_recorder;

/* `hz` 0 or beyond PP_RECORDER_HZ_MAX: off. NULL: out of memory. `cpu` does
 * not become its. */
struct pp_recorder *pp_recorder_new(struct pp_cpu *cpu, uint64_t hz);
void pp_recorder_free(struct pp_recorder *recorder);

/* 0: off. */
unsigned int pp_recorder_hz(const struct pp_recorder *recorder);

/* Put a slice away when it is full. Returns when to call again, on
 * CLOCK_MONOTONIC as `now` is. */
int64_t pp_recorder_tick(struct pp_recorder *recorder, int64_t now);

/* Addresses that slices have brought and that nobody has looked at yet, at most
 * `room` of them, each given out once. Returns how many; 0: no more. */
uint32_t pp_recorder_unnamed(struct pp_recorder *recorder, uint64_t *address,
    uint32_t room);

/* What is there. */
struct pp_recorder_facts {
	int64_t reach_ns; /* how far back it goes */
	uint32_t slices;
	uint64_t bytes;	  /* of them */
	uint64_t dropped; /* slices that memory had no room for */
	/* Of all that it goes back, also of the slice that is not closed. */
	double kernel_s;   /* CPU time of the workers */
	double children_s; /* and of children that they have waited for */
	double sampled_s;
};
void pp_recorder_look(struct pp_recorder *recorder, int64_t now,
    struct pp_recorder_facts *facts);

/*
 * From `since_s` to `until_s` seconds ago, to the nearest slice, without
 * symbols; the caller frees it. NULL with errno: ENOENT when there is nothing
 * of that time, ENOMEM.
 */
struct pp_profile *pp_recorder_profile(struct pp_recorder *recorder,
    int64_t now, int64_t since_s, int64_t until_s);

#endif
