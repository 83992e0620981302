/*
 * This table wraps the calls that set a mask of signals, and the waits for
 * signals. The kernel gets no mask with SIGPROF, so that a thread is sampled
 * whatever it blocks, and no wait returns a SIGPROF of ours. Whether the
 * application believes SIGPROF blocked is kept for each thread, and the
 * application reads that when it asks for its mask. While a SIGPROF of the
 * application's own waits, SIGPROF is blocked in fact.
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

extern const struct pp_got_hook pp_hook_mask[PP_MASK_HOOKS];

/* Returns 1 if a thread that is begun with `attr` (NULL: none) inherits the
 * calling thread's belief that SIGPROF is blocked. A mask in `attr` is what the
 * kernel gets, so the thread inherits nothing. */
int pp_masks_inherited(const pthread_attr_t *attr);

/* sigprocmask(), as the application calls it. */
int pp_masks_change(int how, const sigset_t *set, sigset_t *old);

/* The state of a call that sets a mask while it lasts, as ppoll() does. */
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

/* The mask for the original, each time the original is called. If a SIGPROF of
 * the application's own has come meanwhile, that signal waits in the kernel,
 * which would end each further call with it: the mask then blocks SIGPROF. */
static inline const sigset_t *
pp_masked_now(struct pp_masked *masked, const sigset_t *mask)
{
	if (masked->changed && pp_signal_waited != masked->waited)
		(void)sigaddset(&masked->mask, SIGPROF);
	return (mask);
}

/* The call has put the old mask back. If a SIGPROF of the application's own has
 * waited meanwhile, our handler has blocked SIGPROF in that mask, too: here it
 * is let through. */
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
