/*
 * The endpoint threadcreate: who created the workers and the threads that live
 * now.
 *
 * A thread counts by the stack of its creation, a worker by that of its fork in
 * the parent. The comments of the profile say why earlier workers ended. Not
 * the goroutine profile: what a thread does now is in live/activity.h.
 *
 * Rule: cold; only reads the arena, and believes no number in it.
 */
#ifndef PP_COUNTS_CREATIONS_H
#define PP_COUNTS_CREATIONS_H

#include <stdint.h>

#include "merge/resolve.h"
#include "profile/profile.h"

/* Return how many threads and workers live now. */
uint64_t pp_creations_count(const struct pp_resolver *resolver);

/* Return the profile without symbols, which the caller frees; NULL: out of
 * memory. Its comments "worker_N_restarts=..." say why workers ended. */
struct pp_profile *pp_creations_profile(struct pp_resolver *resolver);

/* The beginning of those comments' keys. */
#define PP_CREATIONS_WORKER "worker_"

#endif
