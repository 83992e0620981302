/*
 * This process's side of the profiler: its slot in the arena, its threads,
 * what each is doing. Private to pprof.so, one instance a process.
 *
 * Life in a Kore worker: the constructor calls pp_self_prepare() in the
 * parent, the worker calls pp_self_start() after its fork, threads register
 * themselves as they begin. A process that is neither (keymgr, a child that
 * a handler forked) has no slot, and everything here does nothing.
 *
 * Rule: what a signal handler reads is either constant after _start(), or
 * atomic, or belongs to its own thread.
 */
#ifndef PP_CAPTURE_SELF_H
#define PP_CAPTURE_SELF_H

#include <sys/types.h>

#include <stdatomic.h>
#include <stdint.h>

#include "store/arena.h"

/* What clock makes a thread's samples. */
enum pp_cpu_mode {
	PP_CPU_OFF,
	PP_CPU_TICK, /* CPU timer of the thread; exact up to the kernel tick */
	PP_CPU_PERF, /* perf_event task clock: above the tick */
	PP_CPU_WALL  /* monotonic timer, weighed by the thread's CPU clock:
			above the tick where perf_event is refused */
};

enum pp_thread_state {
	PP_THREAD_FREE,
	PP_THREAD_CLAIMED, /* being set up by its own thread */
	PP_THREAD_LIVE,
	PP_THREAD_LEAVING /* its own thread is tearing it down */
};

struct pp_thread {
	_Atomic int state;     /* own thread, by enum pp_thread_state */
	pid_t tid;	       /* own thread, before LIVE */
	uintptr_t stack_start; /* own thread, before LIVE */
	size_t stack_size;
	int timer; /* kernel timer ids, -1: none; tick.c */
	int wall_timer;
	_Atomic int perf_fd; /* -1: none; whoever exchanges it out closes it */
	_Atomic int mode;    /* who applies (cpu_apply.c) */
	_Atomic uint64_t period_ns;  /* likewise; of the mode */
	_Atomic int64_t last_cpu_ns; /* thread CPU clock at the last sample */
	_Atomic int64_t due_ns;	     /* the timer's next tick, on that clock */
	_Atomic uint64_t carry_ns;   /* CPU time left over from a re-arming */
};

struct pp_self {
	struct pp_arena *arena; /* NULL: no slot, nothing is captured */
	struct pp_slot *slot;
	pid_t pid;
	uint32_t worker; /* 1..: this is a worker, its samples count */
	int scanned;	 /* 1: the slot's objects are this process's */
	int64_t tick_ns; /* of the kernel: CPU timers are no finer */
	_Atomic int unwind_unsafe; /* an address may mean two objects */
	struct pp_thread thread[PP_THREADS_MAX];
};

extern struct pp_self pp_self;

/* The calling thread's entry, or NULL: not sampled. */
extern __thread struct pp_thread *pp_thread_self;

/* Label set id of what the calling thread does now; 0: none. */
extern __thread uint32_t pp_label_now;

/* Id of the request or task that the calling thread runs, and of the request
 * that this is done for (the same, or the task's); 0: none. */
extern __thread uint64_t pp_flight_now;
extern __thread uint64_t pp_flight_request;

/* Depth of what must not be unwound from (the unwinder itself, the dynamic
 * linker); set and cleared by the thread itself. */
extern __thread volatile int pp_unwind_off;

/*
 * Once, in the parent, before any fork: finds the unwinder, installs the
 * SIGPROF handler, learns the kernel tick. Returns 0, or -1 with *why (a
 * constant sentence) when CPU samples will be without stacks or not come at
 * all. Not thread-safe.
 */
int pp_self_prepare(const char **why);

/*
 * In a worker, after its fork, while it has one thread: take slot `number`
 * (1..arena->slots - 1), record the loaded objects, register the calling
 * thread, obey the control words.
 */
void pp_self_start(struct pp_arena *arena, uint32_t number);

/* In the parent: take slot 0, for its loaded objects only. No thread is
 * sampled. */
void pp_self_start_parent(struct pp_arena *arena);

/* In any child that is not a worker: let go of slot and threads. Async-
 * signal-safe. */
void pp_self_leave(void);

#endif
