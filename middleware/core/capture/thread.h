/*
 * Threads as they come and go. A thread registers itself, since a CPU timer
 * must be told the thread id, and the unwinder wants to be warmed up in it.
 *
 * Rule: called by the thread itself, outside of signal handlers.
 */
#ifndef PP_CAPTURE_THREAD_H
#define PP_CAPTURE_THREAD_H

#include <stddef.h>
#include <stdint.h>

struct pp_thread_birth {
	size_t stack_size;  /* as created, without its guard; 0: not known */
	uintptr_t function; /* its first one; 0: not known */
	uint32_t creator;   /* stack id of its creation, 0: none */
	uint32_t label;	    /* label set of its creator, 0: none */
};

/* Make the calling thread a sampled one. Does nothing in a process without a
 * slot, or for a thread that is registered. Full table: counted. */
void pp_thread_enter(const struct pp_thread_birth *birth);

/* A signal handler's part of a dump: if control.dump has moved, write the
 * calling thread's stack into the slot, and send SIGPROF to the other threads
 * when this is the first of the process to see it. With `one`, only this
 * thread was asked, by control.dump_one. Hot. */
void pp_thread_dump(void *context, int one);

/* The same when control.trace has changed: whether the thread waits in a
 * system call, where, and in which request or task. Hot. */
void pp_thread_seen(void *context);

/* Where no stack can be taken, the calling thread still tells the others of a
 * dump or a trace; _dump_pc(): and of its own pc, if `thread` is not NULL. Hot. */
void pp_thread_pass_on(void);
struct pp_thread;
void pp_thread_dump_pc(const struct pp_thread *thread, const void *context);

/*
 * A thread of bare clone(): whose thread-local variables it has is not known, so
 * nothing of ours that is thread-local is touched, and its samples have the pc
 * alone. _bare() claims an entry, in the thread that calls clone(); NULL: none.
 * _run() is what the new thread runs, _drop() gives the entry back instead.
 */
struct pp_thread *pp_thread_bare(int (*function)(void *), void *argument);
int pp_thread_bare_run(struct pp_thread *thread);
void pp_thread_bare_drop(struct pp_thread *thread);

/* What a thread calls that meets one of our wrappers and is not registered;
 * NULL: nobody. Not in a thread that has left. */
extern void (*pp_thread_unknown)(void);

/* Undo it; called by a thread about to end. */
void pp_thread_leave(void);

#endif
