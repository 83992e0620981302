/*
 * Masks of signals, and waits for signals, as the application sets them:
 * SIGPROF is in none of them, so that a thread is seen whatever it blocks, and
 * no wait hands ours out. What the application believes is kept for each
 * thread, and told when it asks; while one of its own waits, SIGPROF is
 * blocked in fact.
 *
 * Rule: async-signal-safe, as the originals.
 */
#ifndef PP_HOOK_MASKS_H
#define PP_HOOK_MASKS_H

#include <pthread.h>
#include <signal.h>

#include "capture/signal.h"
#include "hook/got.h"

#define PP_MASK_HOOKS 15

extern const struct pp_got_hook pp_mask_hooks[PP_MASK_HOOKS];

/* Whether a thread that is begun with `attr` begins with SIGPROF blocked, as
 * the calling thread believes. A mask in `attr` speaks for itself. */
int pp_masks_inherited(const pthread_attr_t *attr);

/* sigprocmask() as the application calls it. */
int pp_masks_change(int how, const sigset_t *set, sigset_t *old);

/* Around a call that sets a mask for its time. */
struct pp_masked {
	sigset_t mask;
	int believed;
	int changed;
	uint32_t waited;
};

static inline const sigset_t *
pp_masked_begin(struct pp_masked *masked, const sigset_t *mask)
{
	masked->changed = mask != NULL && pp_self.worker != 0;
	if (!masked->changed)
		return (mask);
	masked->mask = *mask;
	masked->believed = pp_signal_blocked;
	masked->waited = pp_signal_waited;
	pp_signal_blocked = sigismember(mask, SIGPROF) == 1;
	(void)sigdelset(&masked->mask, SIGPROF);
	return (&masked->mask);
}

/* Each time the call is made: one of the application's own that has come waits
 * with the kernel, which would end each call by it. */
static inline const sigset_t *
pp_masked_now(struct pp_masked *masked, const sigset_t *mask)
{
	if (masked->changed && pp_signal_waited != masked->waited)
		(void)sigaddset(&masked->mask, SIGPROF);
	return (mask);
}

/* The handler has blocked it in the mask that the call has put back. */
static inline void
pp_masked_end(const struct pp_masked *masked)
{
	if (!masked->changed)
		return;
	pp_signal_blocked = masked->believed;
	if (!masked->believed && pp_signal_waited != masked->waited)
		pp_signal_block(SIG_UNBLOCK);
}

#endif
