/*
 * The control words: how the collector asks all workers for something. Not the
 * arena, of which they are a part (arena.h).
 *
 * Rule: a word is checked where it is used.
 */
#ifndef PP_STORE_CONTROL_H
#define PP_STORE_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

/* What the collector wants of all workers. Written by the collector only, but
 * for the three rates; then it sends SIGPROF to each worker to make it look.
 * Any worker may have written over it: each word is checked where it is used,
 * and the collector puts back what is its own. */
struct pp_control {
	_Atomic uint64_t cpu_period_ns;	 /* 0: CPU sampling is off */
	_Atomic uint64_t heap_rate;	 /* mean bytes between samples; 0: off.
				       First value by the parent */
	_Atomic uint64_t block_rate_ns;	 /* 0: off; PPROF_BLOCK_RATE */
	_Atomic uint64_t mutex_fraction; /* one in so many; 0: off */
	_Atomic uint32_t trace;	 /* 0: nobody traces; else another number each
				   time that recording is turned on */
	_Atomic uint32_t dump;	 /* later than before: each thread is to write
				   its stack */
	_Atomic uint32_t clocks; /* +1: each worker is to write unsampled_ns */
	_Atomic uint32_t dump_one; /* the same, of the one that is asked */
	_Atomic uint32_t ask; /* +1: each worker is to write its memory facts */
	_Atomic uint32_t ask_trim; /* 1: and to call malloc_trim() before */
};

#endif
