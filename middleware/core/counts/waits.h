/*
 * The waits of all workers as a profile: how often, how long, where, in which
 * route, and what for. The workers' tables are described in store/waits.h.
 *
 *     block   the stack that waited
 *     mutex   the stack that let go of what others waited for
 *
 * Both only grow, over restarts too; the workers have already scaled the values
 * up.
 *
 * Rule: cold; only reads the arena. A counter with impossible numbers is left
 * out and counted.
 */
#ifndef PP_COUNTS_WAITS_H
#define PP_COUNTS_WAITS_H

#include <stdint.h>

#include "profile/profile.h"

struct pp_resolver;

enum pp_waits { PP_WAITS_BLOCK, PP_WAITS_MUTEX };

/* The two values of a sample. */
enum pp_waits_value { PP_WAITS_VALUE_CONTENTIONS, PP_WAITS_VALUE_DELAY };

/* Return the name of a wait of base/waits.h; NULL: there is none of that
 * number. */
const char *pp_waits_state(uint32_t wait);

/* Return the name of a call of base/calls.h; NULL likewise. */
const char *pp_waits_call(uint32_t call);

/* Return how many counters all workers have. */
uint64_t pp_waits_count(const struct pp_resolver *resolver,
    enum pp_waits which);

/* Return the waits until now as a profile without symbols, the longest delay
 * first; the caller frees it. NULL: out of memory. */
struct pp_profile *pp_waits_profile(struct pp_resolver *resolver,
    enum pp_waits which);

#endif
