/*
 * The control words: how the collector asks all workers for something. Not the
 * rest of the arena, in which they lie (arena.h).
 *
 * Rule: any process may have written a word, so code that uses a word checks
 * its value. The words are stored and loaded with sequential consistency where
 * order matters: `ask_trim` is stored before `ask`, and read after `ask`.
 * Numbers of questions are compared for equality or by their difference: 2^31
 * questions would have to pass a worker by.
 */
#ifndef PP_STORE_CONTROL_H
#define PP_STORE_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

/* What the collector wants of all workers. The collector alone writes, with two
 * exceptions: kore/request/api.c writes the three rates, too, and the parent
 * turns CPU sampling off when there is no collector any more. After a change
 * SIGPROF makes each worker read the words. If the collector's words have been
 * written over, the collector puts them back. */
struct pp_control {
	_Atomic uint64_t cpu_period_ns;	 /* 0: CPU sampling is off */
	_Atomic uint64_t heap_rate;	 /* mean bytes between samples; 0: off.
				       First value by the parent */
	_Atomic uint64_t block_rate_ns;	 /* 0: off; PPROF_BLOCK_RATE */
	_Atomic uint64_t mutex_fraction; /* one in so many; 0: off */
	_Atomic uint32_t trace;	 /* 0: nobody traces; else another number each
				   time that recording is turned on */
	_Atomic uint32_t dump;	 /* a later number: each thread is to write its
				   stack */
	_Atomic uint32_t clocks; /* +1: each worker is to write unsampled_ns */
	_Atomic uint32_t dump_one; /* as dump, for one thread that is asked */
	_Atomic uint32_t ask; /* +1: each worker is to write its memory facts */
	_Atomic uint32_t ask_trim; /* 1: each worker is to call malloc_trim()
				      before that */
};

#endif
