/*
 * One bound (PPROF_MEMORY_MIB) for all the memory that a collector keeps: its
 * own pages, whoever in it has asked for them, as the kernel counts them; and
 * the memory files that are counted here. Not the arena, which is the service's,
 * nor pages of files that are mapped.
 *
 * Whoever is about to take much asks before. What stays (tables of profiles,
 * traces, bodies) may take three quarters; the last one is for what passes, the
 * answers, so that who asks how things are is answered while profiles of a day
 * have all that they may; and a sixteenth is for small blocks, which do not ask.
 *
 * Rule: the collector's one thread. Small blocks do not ask: asking is a system
 * call. Without a bound (tests) everything fits.
 */
#ifndef PP_BASE_BUDGET_H
#define PP_BASE_BUDGET_H

#include <stdint.h>

/* Blocks that are smaller do not ask. */
#define PP_BUDGET_LARGE (64U << 10)

/* `statm`: this process's /proc/self/statm, which stays the caller's. */
void pp_budget_set(uint64_t bytes, int statm);
uint64_t pp_budget_bound(void); /* 0: none */
uint64_t pp_budget_used(void);

/* Whether there is room for so many bytes more: of what stays, or of what
 * passes. 1, or 0 with errno ENOMEM. */
int pp_budget_keeps(uint64_t more);
int pp_budget_fits(uint64_t more);

/* Memory files have grown by so much, or are gone. */
void pp_budget_file(int64_t more);

#endif
