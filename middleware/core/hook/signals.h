/*
 * This table wraps the calls that install handlers of signals. The
 * application's handler of SIGPROF is kept, and ours stays installed. All other
 * handlers begin in pp_signal_guest(), which counts them and jumps to the
 * application's. If the application asks for an action, it gets the one that it
 * has set.
 *
 * Rule: async-signal-safe, as the originals.
 */
#ifndef PP_HOOK_SIGNALS_H
#define PP_HOOK_SIGNALS_H

#include "hook/got.h"

#define PP_SIGNAL_HOOKS 15

extern const struct pp_got_hook pp_hook_signal[PP_SIGNAL_HOOKS];

/* Let the handlers that are installed already begin in pp_signal_guest(), too.
 * Called once, after the originals are known and before any table is patched.
 */
void pp_signals_adopt(void);

/* After a call that may have changed the action of SIGPROF in the kernel: what
 * was installed becomes the application's action, and ours is installed again;
 * if ours was put back, the application has the action of before. */
void pp_signals_look(void);

#endif
