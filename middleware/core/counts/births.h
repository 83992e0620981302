/*
 * Who created the threads that live, and the workers: threadcreate.
 *
 * A thread counts by the stack of its creation, a worker by that of its fork
 * in the parent. Why workers ended before is in the comments.
 *
 * Rule: cold; only reads, believes nothing.
 */
#ifndef PP_COUNTS_BIRTHS_H
#define PP_COUNTS_BIRTHS_H

#include <stdint.h>

#include "merge/resolve.h"
#include "profile/profile.h"

/* Threads and workers that live now. */
uint64_t pp_births_count(const struct pp_resolver *resolver);

/* The profile without symbols, which the caller frees; NULL: out of memory.
 * Its comments "worker_N_restarts=..." say why. */
struct pp_profile *pp_births_profile(struct pp_resolver *resolver);

/* How those comments begin. */
#define PP_BIRTHS_WORKER "worker_"

#endif
