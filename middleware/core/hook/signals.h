/*
 * Handlers of signals as the application installs them. That of SIGPROF is
 * kept and ours stays; all others begin in pp_signal_guest(), which counts
 * them and goes on in the application's. What the application is told of an
 * action is what it has set.
 *
 * Rule: async-signal-safe, as the originals.
 */
#ifndef PP_HOOK_SIGNALS_H
#define PP_HOOK_SIGNALS_H

#include "hook/got.h"

#define PP_SIGNAL_HOOKS 12

extern const struct pp_got_hook pp_signal_hooks[PP_SIGNAL_HOOKS];

/* Handlers that are there already. Once, before anything is hooked, but after
 * the originals are known. */
void pp_signals_adopt(void);

#endif
