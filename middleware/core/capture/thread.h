/*
 * Threads as they come and go. A thread registers itself, because a CPU timer
 * needs the thread's id, and because the unwinder must be warmed up in each
 * thread. Not the thread's clocks (sampler.h). The order of the thread table's
 * states is in self.h.
 *
 * Rule: the thread itself calls these functions, outside of signal handlers.
 * But the functions marked "Hot" run in the SIGPROF handler, and the thread
 * that calls clone() calls pp_thread_bare() and _bare_drop().
 */
#ifndef PP_CAPTURE_THREAD_H
#define PP_CAPTURE_THREAD_H

#include <stddef.h>
#include <stdint.h>

struct pp_thread_creation {
	size_t stack_size;  /* as created, without its guard; 0: not known */
	uintptr_t function; /* the thread's first function; 0: not known */
	uint32_t creator;   /* stack id of its creation, 0: none */
	uint32_t label;	    /* label set of its creator, 0: none */
};

/* Make the calling thread a sampled one. Does nothing if the process has no
 * slot, or the thread is registered already. If the table is full, that is
 * counted. */
void pp_thread_enter(const struct pp_thread_creation *creation);

/* A signal handler's part of a dump: if control.dump has moved, write the
 * calling thread's stack into the slot. The first thread of the process that
 * sees the question sends SIGPROF to the others. `one` 1: only this thread was
 * asked, by control.dump_one. Hot. */
void pp_thread_dump(void *context, int one);

/* The same for control.trace: if the word has changed, write down whether the
 * thread waits in a system call, with which stack, and in which request or
 * task. Hot. */
void pp_thread_seen(void *context);

/* If no stack can be taken, _pass_on() still passes a dump or a trace on to the
 * other threads. _dump_pc() does so, too, and writes the pc of `thread`, the
 * caller's entry, if that is not NULL. Hot. */
void pp_thread_pass_on(void);
struct pp_thread;
void pp_thread_dump_pc(const struct pp_thread *thread, const void *context);

/*
 * A thread of bare clone() may share its thread-local variables with another
 * thread. So nothing of ours that is thread-local is touched, and the thread's
 * samples have the pc alone. _bare() claims an entry, in the thread that calls
 * clone(); NULL: none is free (counted). The new thread calls _run(), which
 * returns the function's status; if clone() fails, _drop() gives the entry
 * back.
 */
struct pp_thread *pp_thread_bare(int (*function)(void *), void *argument);
int pp_thread_bare_run(struct pp_thread *thread);
void pp_thread_bare_drop(struct pp_thread *thread);

/* A thread that enters one of our wrappers and is not registered calls this
 * function; NULL: none. A thread that has left does not call it. */
extern void (*pp_thread_unknown)(void);

/* Undo pp_thread_enter(); called by a thread that is about to end. */
void pp_thread_leave(void);

#endif
