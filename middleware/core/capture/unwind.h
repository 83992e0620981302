/*
 * The stack of the calling thread at the moment a signal interrupted it.
 *
 * By libunwind's unw_backtrace(), loaded with RTLD_LOCAL so that its
 * _Unwind_* symbols do not replace libgcc's for C++ modules.
 *
 * Rule: pp_unwind_interrupted() is hot. pp_unwind_load() is for the
 * constructor.
 */
#ifndef PP_CAPTURE_UNWIND_H
#define PP_CAPTURE_UNWIND_H

#include <stdint.h>

/* Load the unwinder and warm it up. Returns 0, or -1 with *why. */
int pp_unwind_load(const char **why);

/* Fill the calling thread's caches, so that its first sample allocates
 * nothing. */
void pp_unwind_warm(void);

/* Where a stack ends. */
enum pp_unwind_end {
	PP_UNWIND_WHOLE,
	PP_UNWIND_CUT,	/* at PP_FRAMES_MAX */
	PP_UNWIND_SHORT /* before the first function of any thread we know: in
			   code without unwind information, or of a coroutine */
};

/* The calling thread is at its beginning: its stack ends as whole ones do. To be
 * run by pp_own_stack_run(), once for each way to begin, since it fills a cache
 * of the unwinder's for the thread: `learnt`, an atomic_int, becomes 1 when the
 * end is known. NULL: nobody asks. */
void pp_unwind_root(void *learnt);

/*
 * Return addresses of the calling thread's stack, from the first one outside
 * of pprof.so on. Returns their count, 0 when there is no stack to be had.
 * Room for PP_FRAMES_MAX words. Hot.
 */
uint32_t pp_unwind_here(uint64_t *pcs, enum pp_unwind_end *end);

/* The pc at which the signal has interrupted the thread. Hot. */
uint64_t pp_unwind_pc(const void *context);

/*
 * Frames of the interrupted code: pcs[0] is the exact pc, the rest return
 * addresses. `context` is the handler's ucontext_t. Returns their count,
 * 1..PP_FRAMES_MAX; 1 with *stackless set when only the pc is known. pcs has
 * room for PP_FRAMES_MAX words.
 */
uint32_t pp_unwind_interrupted(void *context, uint64_t *pcs, int *stackless,
    enum pp_unwind_end *end);

/* Whether the signal has found the thread waiting in a system call, which goes
 * on or has failed with EINTR. Hot. */
int pp_unwind_in_call(const void *context);

#endif
