/*
 * A process's side of the profiler: its slot in the arena, its threads, and
 * what each thread is doing. Private to pprof.so, one instance a process. The
 * globals are in self.c, the functions in start.c.
 *
 * Life in a Kore worker: the constructor calls pp_self_prepare() in the
 * parent, the worker calls pp_self_start() after its fork, threads register
 * themselves as they begin. A process that is neither parent nor worker
 * (keymgr, a child that a handler forked) has no slot, and everything here does
 * nothing.
 *
 * Rule: data that a signal handler reads is constant after _start(), or atomic,
 * or belongs to the handler's thread.
 */
#ifndef PP_CAPTURE_SELF_H
#define PP_CAPTURE_SELF_H

#include <sys/types.h>

#include <stdatomic.h>
#include <stdint.h>

#include "store/arena.h"

/* The clock that makes a thread's samples now. */
enum pp_cpu_mode {
	PP_CPU_OFF,
	PP_CPU_TIMER, /* the thread's CPU timer, exact up to the kernel's tick.
			At higher rates it only tells that the thread runs */
	PP_CPU_WALL,  /* a monotonic timer, weighed by the thread's CPU clock:
			at higher rates, while the thread runs */
	PP_CPU_PERF   /* perf_event's task clock instead, if asked for */
};

enum pp_thread_state {
	PP_THREAD_FREE,
	PP_THREAD_CLAIMED, /* the new thread fills the entry */
	PP_THREAD_LIVE,
	PP_THREAD_LEAVING /* the thread that ends empties the entry */
};

/*
 * An entry of the thread table. Its own thread writes where nothing else is
 * said, and all threads read. The store of the state LIVE is a release and
 * pairs with every load of the state: a reader that finds LIVE sees what was
 * written before. The store of FREE pairs with the compare-and-swap that claims
 * the entry again. An entry may have a new thread at any moment; a reader that
 * acts upon a tid takes ESRCH, or a signal to the new thread, which does no
 * harm.
 */
struct pp_thread {
	_Atomic int state; /* enum pp_thread_state */
	_Atomic pid_t tid;
	_Atomic uintptr_t stack_start;
	_Atomic size_t stack_size; /* without guard pages; 0: not known */
	int (*bare)(void *);	   /* of bare clone(), or NULL; before LIVE */
	void *bare_argument;
	uintptr_t function; /* own thread: its first function, 0: not known */
	void *own_stack; /* lowest address, NULL: not mapped yet; own thread */
	/* Kernel timers, -1: none. The own thread makes them; the thread that
	 * exchanges a number for -1 deletes the timer. Any thread may set a
	 * timer, which the kernel refuses if the timer is gone. */
	_Atomic int timer;
	_Atomic int wall_timer;
	_Atomic int perf_fd; /* -1: none; whoever exchanges it out closes it */
	_Atomic int mode;    /* enum pp_cpu_mode */
	_Atomic uint32_t rearmed; /* how often another thread set `timer` */
	uint32_t epoch;		  /* own thread: the cpu_epoch last obeyed */
	uint32_t idle;	     /* own thread: wall ticks that found no work */
	int64_t seen_cpu_ns; /* own thread: CPU clock at the last wall tick */
	int64_t due_ns;	     /* own thread: CPU clock when the tick was due */
	/* CPU clock at the last sample; the thread that turns sampling on
	 * writes it, too. */
	_Atomic int64_t last_cpu_ns;
};

struct pp_self {
	struct pp_arena *arena; /* NULL: no slot, nothing is captured */
	struct pp_slot *slot;
	pid_t pid;
	uint32_t worker;  /* 1..: the number of this worker; 0: no worker */
	int scanned;	  /* 1: the slot's objects are this process's */
	int64_t jiffy_ns; /* of the kernel: CPU timers are no finer */
	int perf_event;	  /* 1: the operator has asked for perf_event_open */
	uintptr_t main_stack; /* of the main thread, lowest address */
	size_t main_stack_size;
	_Atomic int unwind_unsafe; /* an address may mean two objects */
	struct pp_thread thread[PP_THREADS_MAX];
};

extern struct pp_self pp_self;

/* The calling thread's entry, or NULL: not sampled. */
extern __thread struct pp_thread *pp_thread_self;

/* 1: the calling thread has left, and does not register again. */
extern __thread int pp_thread_gone;

/* Label set id of what the calling thread does now; 0: none. */
extern __thread uint32_t pp_label_now;

/* Id of the request or task that the calling thread runs, and id of the request
 * that it works for (the same id, or that of the task's request); 0: none. */
extern __thread uint64_t pp_self_inflight;
extern __thread uint64_t pp_self_request;

/* Not 0 while no stack may be walked: the thread is in the unwinder or in the
 * dynamic linker. The thread itself sets and clears it. */
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
 * (1.., and by the caller's own knowledge one of the arena), record the loaded
 * objects, register the calling thread, obey the control words.
 */
void pp_self_start(struct pp_arena *arena, uint32_t number);

/* In the parent: take slot 0, for its loaded objects only. No thread is
 * sampled. */
void pp_self_start_parent(struct pp_arena *arena);

/* In any child that is not a worker: let go of the slot and the threads.
 * Async-signal-safe. */
void pp_self_leave(void);

#endif
