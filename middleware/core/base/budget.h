/*
 * One bound (PPROF_MEMORY_MIB) for all the memory that a collector keeps. Two
 * things count: the collector's own resident pages, as the kernel counts them,
 * and the memory files that pp_budget_file() is told of. The arena does not
 * count, because it is the service's, nor do pages of mapped files.
 *
 * A caller that is about to take a large block asks first. Blocks that stay
 * (tables of profiles, traces, bodies) may take three quarters of the bound.
 * Blocks that pass soon (answers) may take fifteen sixteenths, so that a short
 * question is answered even when profiles of a day have taken their three
 * quarters. The last sixteenth is left for small blocks.
 *
 * Rule: the collector's one thread. Small blocks do not ask, because asking is
 * a system call. If no bound is set (tests), everything fits.
 */
#ifndef PP_BASE_BUDGET_H
#define PP_BASE_BUDGET_H

#include <stdint.h>

/* Smaller blocks need not ask, and always fit. In bytes. */
#define PP_BUDGET_LARGE (64U << 10)

/* Sets the bound, 0: none. `statm` is this process's /proc/self/statm, open for
 * reading; the descriptor stays the caller's and must stay open. */
void pp_budget_set(uint64_t bytes, int statm);
uint64_t pp_budget_bound(void); /* bytes; 0: none */
uint64_t pp_budget_used(void);	/* bytes */

/* Whether there is room for `more` bytes: _keeps() for a block that stays,
 * _fits() for a block that passes soon. 1, or 0 with errno ENOMEM. */
int pp_budget_keeps(uint64_t more);
int pp_budget_fits(uint64_t more);

/* Memory files have grown by `more` bytes; below 0: they have gone. */
void pp_budget_file(int64_t more);

#endif
