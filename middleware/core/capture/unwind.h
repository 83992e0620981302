/*
 * The stack of the calling thread at the moment a signal interrupted it.
 *
 * libunwind's unw_backtrace() finds it. libunwind is loaded with RTLD_LOCAL, so
 * that its _Unwind_* symbols do not replace libgcc's for C++ modules.
 *
 * Rule: pp_unwind_interrupted() is hot. The constructor calls pp_unwind_load().
 */
#ifndef PP_CAPTURE_UNWIND_H
#define PP_CAPTURE_UNWIND_H

#include <stdint.h>

/* Load the unwinder and warm it up. Returns 0, or -1 with *why. */
int pp_unwind_load(const char **why);

/* Fill the calling thread's caches, so that its first sample allocates
 * nothing. */
void pp_unwind_warm(void);

/* How a stack ends. */
enum pp_unwind_end {
	PP_UNWIND_WHOLE,
	PP_UNWIND_CUT,	/* at PP_FRAMES_MAX */
	PP_UNWIND_SHORT /* before the first function of any thread we know: in
			   code without unwind information, or of a coroutine */
};

/*
 * The calling thread is at its beginning: its stack ends as whole stacks do. To
 * be run by pp_own_stack_run(). One walk is enough for each way in which threads
 * begin: `learnt`, an atomic_int or NULL, becomes 1 when the end is known.
 */
void pp_unwind_root(void *learnt);

/*
 * Puts the return addresses of the calling thread's stack into `pcs`, from the
 * first one outside of pprof.so on. Returns their count; 0: no stack can be
 * had. `pcs` has room for PP_FRAMES_MAX words. Hot.
 */
uint32_t pp_unwind_here(uint64_t *pcs, enum pp_unwind_end *end);

/* The pc at which the signal has interrupted the thread. Hot. */
uint64_t pp_unwind_pc(const void *context);

/*
 * Puts the frames of the interrupted code into `pcs`: pcs[0] is the exact pc,
 * the others are return addresses. `context` is the handler's ucontext_t.
 * Returns their count, 1..PP_FRAMES_MAX. If only the pc is known, the count is
 * 1 and *stackless is set. `pcs` has room for PP_FRAMES_MAX words.
 */
uint32_t pp_unwind_interrupted(void *context, uint64_t *pcs, int *stackless,
    enum pp_unwind_end *end);

/* Whether the signal has found the thread waiting in a system call, which goes
 * on or has failed with EINTR. Hot. */
int pp_unwind_in_call(const void *context);

#endif
