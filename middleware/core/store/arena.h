/*
 * The arena: the shared memory in which the workers write and from which the
 * collector reads. This header is the arena's layout and mapping. How each
 * table is written and read is in ring.h, intern.h, counters.h, objects.h,
 * trace.h, routes.h and deaths.h.
 *
 * The arena is a memfd that the parent makes before it forks the first worker.
 * Each process maps the memfd behind a head that no other process can write:
 *
 *     head          | control words | slot 0 (parent) | slot 1 (worker 1) ...
 *     private       | shared: the memfd
 *
 * The head says how large everything is, and all else that the parent found out
 * once. The workers inherit the head by their fork, and the collector gets the
 * same bytes as facts (facts.h).
 *
 * The memfd is sparse: a page that nobody touched costs nothing, so the sizes
 * here are bounds, not costs. Every process maps the arena at an address of its
 * own; therefore there are offsets and ids, and no pointers.
 *
 * Rule: each field says who writes it. A reader trusts nothing that is shared,
 * because all processes of a service can write all of it, and one of them may
 * have been taken over. A reader reads a number once, and checks the number
 * against limits.h before it indexes. The parent, which is root, acts upon
 * nothing that it reads there.
 */
#ifndef PP_STORE_ARENA_H
#define PP_STORE_ARENA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "base/loss.h"
#include "base/memory.h"
#include "store/control.h"

#define PP_ARENA_MAGIC 0x316e657261707070ULL /* "pppraren" + version 1 */

/* One executable segment of a loaded object of a process; see objects.h. */
struct pp_object {
	_Atomic uint32_t state; /* enum pp_object_state, written last */
	uint32_t name_len;
	uint64_t bias;	/* added to a vaddr of the file (dlpi_addr) */
	uint64_t start; /* an executable segment: [start, limit) */
	uint64_t limit;
	uint64_t offset;       /* of that segment in the file */
	uint32_t build_id_len; /* 0: the object has none */
	uint8_t build_id[PP_BUILD_ID_MAX];
	char name[PP_OBJECT_NAME_MAX]; /* absolute, or as dlopen got it */
};

enum pp_object_state {
	PP_OBJECT_FREE,	  /* never used */
	PP_OBJECT_LIVE,	  /* mapped */
	PP_OBJECT_RETIRED /* unloaded; its addresses stay reserved */
};

/* Append-only; `used` and the entries are written by the slot's process. */
struct pp_objects {
	_Atomic uint32_t used;
	_Atomic uint32_t changes; /* +1 after each change; readers compare */
	struct pp_object object[PP_OBJECTS_MAX];
};

/* Interned label sets; see intern.h. */
struct pp_label_table {
	_Atomic uint32_t used;
	_Atomic uint32_t index[PP_LABEL_INDEX];
	uint64_t words[PP_LABEL_WORDS];
};

/* Interned stacks; see intern.h. The first word of a stack is the number of
 * objects that the process knew: if two objects had an address one after the
 * other, this number says which one is meant. Then come return addresses, the
 * caller first. */
struct pp_stack_table {
	_Atomic uint32_t used;
	_Atomic uint32_t index[PP_STACK_INDEX];
	uint64_t words[PP_STACK_WORDS];
};

/* The counters of one key, which only grow; counters.h says who adds. */
struct pp_counter {
	_Atomic uint64_t key; /* 0: not in use */
	_Atomic uint64_t value[4];
};

/* Counters of heap samples, not scaled up; see heap.h. */
struct pp_heap_table {
	_Atomic uint64_t rate[PP_HEAP_RATES];  /* 0: unused; index in keys */
	_Atomic uint32_t used;		       /* counters */
	_Atomic uint32_t index[PP_HEAP_INDEX]; /* counter + 1 */
	struct pp_counter counter[PP_HEAP_COUNTERS];
};

/* Counters of waits. Their keys and values are in waits.h. */
struct pp_wait_table {
	_Atomic uint32_t used;		       /* counters */
	_Atomic uint32_t index[PP_WAIT_INDEX]; /* counter + 1 */
	struct pp_counter counter[PP_WAIT_COUNTERS];
};

/* The custom profiles of the application. The key of a counter is made by
 * pp_wait_pack(), with the index of the profile's name for the wait; the values
 * count the things that were added and those that were removed. A name is
 * written before the release store of `used`, which pairs with the acquire load
 * of `used` by every reader; names are never removed. */
struct pp_custom {
	_Atomic uint32_t used;
	char name[PP_CUSTOM_MAX][PP_CUSTOM_NAME_MAX]; /* terminated */
	struct pp_wait_table counters;
};

/*
 * A request or a task in flight. The worker writes: the event loop's thread,
 * and for a task its own thread (tid, state, stack, since_ns).
 *
 * The release store of `id`, when the entry is filled, pairs with a reader's
 * acquire load of `id`. Before the entry is filled again, `id` becomes 0; so a
 * reader that finds the same id before and after its copy (an acquire fence
 * lies between) has a copy of one entry, else it throws the copy away. Ids are
 * 64-bit counts of which none comes twice in a service.
 */
struct pp_inflight {
	_Atomic uint64_t id;	/* never reused in a service; 0: free */
	_Atomic uint32_t task;	/* 0: a request, 1: a task */
	_Atomic uint32_t state; /* enum pp_wait; NONE: running or runnable */
	_Atomic uint32_t label; /* label set id */
	_Atomic uint32_t stack; /* id; of the beginning of the state, 0: none */
	_Atomic uint64_t request;   /* id of the request that a task works for;
				     0: none */
	_Atomic int64_t started_ns; /* CLOCK_MONOTONIC */
	_Atomic int64_t since_ns;   /* beginning of the state */
	_Atomic uint32_t tid;	    /* the task's thread, 0: none yet */
	_Atomic uint32_t bytes_in;  /* of the body, received so far */
	_Atomic uint64_t bytes_out; /* of answers, handed over to be sent */
	char path[PP_INFLIGHT_PATH_MAX]; /* as asked, cut; terminated */
};

struct pp_inflights {
	_Atomic uint32_t used;	   /* entries below this have been used */
	_Atomic uint64_t tasks;	   /* tasks that got an id in this slot */
	_Atomic uint64_t requests; /* requests that did; event loop's thread */
	_Atomic uint64_t running;  /* id of the request whose handler runs, 0 */
	struct pp_inflight inflight[PP_INFLIGHT_MAX];
};

/* The requests of one label set. Only the event loop's thread writes; all
 * fields but `label` only grow. See routes.h. */
struct pp_route {
	_Alignas(64) _Atomic uint32_t label; /* set id */
	_Atomic uint64_t begun;	     /* handlers that were called for the first
				       time */
	_Atomic uint64_t abandoned;  /* ended, but not by their handler: the
				       client left, or the worker died */
	_Atomic uint64_t ns;	     /* from the first call to the end */
	_Atomic uint64_t running_ns; /* the part of `ns` inside the handler */
	_Atomic uint64_t time[PP_ROUTE_TIMES]; /* requests that ended, by ns */
};

/* Counter 0 counts the requests that find no counter of their own. Counters are
 * used one after the other, so that only the pages of used counters are
 * touched. */
struct pp_routes {
	_Atomic uint32_t used;			   /* counters below this */
	_Atomic uint32_t index[2 * PP_ROUTES_MAX]; /* by label's hash */
	struct pp_route counter[PP_ROUTES_MAX + 1];
};

/*
 * A thread, by its index in the worker's table; the thread itself writes. `tid`
 * is written last when a thread enters.
 *
 * The store of a question's number (control.dump, .dump_one or .trace) into
 * `dumped` or `traced` comes last and is a release; it pairs with the acquire
 * load by which the collector sees the answer. These numbers only grow and are
 * compared by their difference, or for equality: 2^31 questions would have to
 * pass a thread by.
 */
struct pp_thread_facts {
	_Atomic uint32_t tid;	  /* 0: free */
	_Atomic uint32_t creator; /* stack id of the thread's creation, 0 */
	_Atomic uint32_t creator_label;
	_Atomic int64_t started_ns; /* CLOCK_MONOTONIC */
	/* CPU time since the thread's last sample, when control.clocks asked.
	 * Any thread of the process writes this field. */
	_Atomic uint64_t unsampled_ns;
	/* The thread's stack when control.dump or .dump_one asked, written in
	 * the thread's own signal handler; `dumped` last. */
	_Atomic uint32_t dumped;
	_Atomic uint32_t label;
	_Atomic uint64_t inflight; /* id of its request or task, 0: none */
	_Atomic uint32_t frames;
	_Atomic uint64_t pc[PP_FRAMES_MAX]; /* exact pc, return addresses */
	/* What the thread did when control.trace changed, written in the same
	 * way; the new number goes into `traced`, last. */
	_Atomic uint32_t traced;
	_Atomic uint32_t traced_call;  /* 1: the thread was in a system call */
	_Atomic uint32_t traced_stack; /* id; 0: none, or not in a call */
	_Atomic uint64_t traced_inflight;
};

/* A bounded queue of records; see ring.h. */
struct pp_ring {
	_Atomic uint64_t head;	 /* the producers: next word to reserve */
	_Atomic uint64_t sealed; /* by a worker as it starts: a record below
				    this that is not complete stays so */
	char pad[48];		 /* keep the two sides' cache lines apart */
	_Atomic uint64_t tail;	 /* the collector: next word to read */
	char pad2[56];
	_Atomic uint64_t words[PP_CPU_RING_WORDS];
};

/* The two ends of a thread's trace ring; the records are in trace.h. */
struct pp_trace_ring {
	_Atomic uint64_t head; /* the thread: next word to write */
	char pad[56];
	_Atomic uint64_t tail; /* the collector: next word to read */
	char pad2[56];
};

/* The life of the processes in a slot. The process itself writes as it starts
 * (pid, generation, started_ns, fork_stack), the parent when it reaps (pid,
 * dead_cpu_ns, deaths and the last_ fields). */
struct pp_life {
	_Atomic int32_t pid;	     /* 0: there is no process now */
	_Atomic uint32_t generation; /* +1 for each process of this slot */
	_Atomic int64_t started_ns;  /* wall time */
	_Atomic int64_t dead_cpu_ns; /* CPU time of all that died here */
	/* CPU time of all children that processes here have waited for; the
	 * event loop of the present process writes it. */
	_Atomic int64_t children_cpu_ns;
	_Atomic uint32_t deaths;
	_Atomic int32_t last_status; /* of waitpid(), for the last death */
	_Atomic uint32_t last_label; /* of the request that ran; 0: none */
	_Atomic uint32_t fork_stack; /* id in slot 0: where it was forked */
};

/* The crash record of a process that a signal has ended. The parent writes it
 * when it reaps, before the next process of the slot clears the table of
 * requests; see deaths.h. */
struct pp_crash_record {
	_Atomic uint32_t number; /* of the death in this slot, 1.. */
	int32_t pid;
	int32_t status;	    /* of waitpid() */
	int64_t died_ns;    /* CLOCK_MONOTONIC */
	uint64_t running;   /* id of the request whose handler ran; 0: none */
	uint32_t inflights; /* all requests and tasks in flight */
	uint32_t kept;	    /* those below; the one that ran is the first */
	struct pp_inflight inflight[PP_CRASH_INFLIGHT];
};

/* Bits of pp_arena.entry_refused: groups of the server's own functions. */
enum pp_entries {
	PP_ENTRIES_MEMORY = 1,	 /* allocations */
	PP_ENTRIES_INFLIGHT = 2, /* requests that sleep, wake and end */
	PP_ENTRIES_INSTANTS = 4, /* the server's own part of a trace */
	PP_ENTRIES_CALLS = 8,	 /* tasks and timers that the program makes */
	PP_ENTRIES_CURL = 16,	 /* requests that wait for libcurl */
	PP_ENTRIES_ANSWERS = 32	 /* bytes of answers */
};

/* Bits of pp_slot.clocks. */
enum pp_clock_seen {
	PP_CLOCK_TIMER = 1,	    /* a CPU timer was made */
	PP_CLOCK_TIMER_REFUSED = 2, /* the kernel refused a CPU timer */
	PP_CLOCK_PERF = 4,	    /* a perf_event was opened */
	PP_CLOCK_WALL = 16,	    /* a timer of wall time, above the tick */
	PP_TGKILL_REFUSED = 32,	    /* no thread can be asked for its stack */

	/* How the application uses SIGPROF itself. */
	PP_SIGPROF_HANDLED = 64,  /* an action of its own is set */
	PP_SIGPROF_CAME = 128,	  /* a SIGPROF that is not ours has come */
	PP_SIGPROF_BLOCKED = 256, /* a thread has blocked SIGPROF */
	PP_SIGPROF_AWAITED = 512  /* a thread waits for SIGPROF */
};

struct pp_slot {
	struct pp_life life;
	_Atomic uint64_t loss[PP_LOSS_COUNT]; /* any thread; they only grow */
	struct pp_crash_record last[PP_CRASH_RECORDS]; /* by number */
	/* Which clocks the threads have got, enum pp_clock_seen; the thread
	 * that sets a clock writes its bit. */
	_Atomic uint32_t clocks;
	_Atomic uint32_t deaths_reported; /* deaths that the collector has
					     logged; by the collector */
	_Atomic uint32_t clocks_answered; /* control.clocks, when all
					     unsampled_ns were written for that
					     number */
	/* The cost of CPU samples: their number, and the ns from the begin to
	 * the end of writing each; by the signal handler. */
	_Atomic uint64_t samples;
	_Atomic uint64_t samples_ns;
	struct pp_objects objects;
	struct pp_label_table labels;
	struct pp_stack_table stacks;
	struct pp_heap_table heap;
	struct pp_memory_facts memory;
	struct pp_wait_table block;
	struct pp_wait_table mutex;
	struct pp_custom custom;
	/* When the event loop last came back from waiting for events
	 * (CLOCK_MONOTONIC_COARSE); 0: the loop waits. By the event loop's
	 * thread. This field and the head of `inflights` are written equally
	 * often, and share a page. */
	_Alignas(512) _Atomic int64_t busy_ns;
	struct pp_inflights inflights;
	struct pp_routes routes;
	_Atomic uint32_t threads_used; /* threads below this were used once */
	struct pp_thread_facts thread[PP_THREADS_MAX];
	struct pp_ring cpu;
	struct pp_trace_ring trace[PP_THREADS_MAX]; /* by index of thread */
	_Atomic uint64_t trace_loop[PP_TRACE_LOOP_WORDS];
	_Atomic uint64_t trace_thread[PP_THREADS_MAX][PP_TRACE_THREAD_WORDS];
};

struct pp_arena {
	/* The head: the parent writes it before the first fork; afterwards it
	 * is constant. */
	uint64_t magic;
	uint64_t size;	    /* of the whole arena, bytes, with the head */
	uint64_t slot_size; /* sizeof(struct pp_slot) in the writer's build */
	uint32_t slots;	    /* slot 0 and one for each worker */
	int32_t parent_pid;
	int64_t started_ns; /* wall time */
	char server[64];    /* "kore 4.1.0" */

	/* enum pp_entries: the groups of functions whose calls inside the
	 * server cannot be followed; only calls from modules are seen. */
	_Atomic uint32_t entry_refused;
	uint32_t stackless;    /* 1: there is no unwinder */
	int64_t jiffy_ns;      /* of the kernel */
	int32_t perf_paranoid; /* kernel.perf_event_paranoid; -100: unknown */
	uint32_t perf_event;   /* 1: perf_event_open is asked for */
	uint32_t sandbox_left; /* 1: Kore did not take our rules */
	uint32_t chrooted;     /* 1: workers enter another root */
	uint32_t runas;	       /* 1: workers become another user */
	uint32_t cmdline_len;
	char cmdline[PP_CMDLINE_MAX]; /* argv joined by NUL, none at the end */

	/* Options of the operator, which a collector reads as it starts. */
	uint64_t recorder_hz; /* 0: off; PPROF_RECORDER_HZ */
	uint64_t stall_ms;    /* 0: off; PPROF_STALL_MS */
	uint64_t memory_mib;  /* 0: no bound; PPROF_MEMORY_MIB */

	/* Shared from here on. */
	_Alignas(4096) struct pp_control control;

	_Alignas(4096) struct pp_slot slot[];
};

/* Bytes of the head, and the offset in the memfd of byte `at` of the arena. */
#define PP_ARENA_HEAD	  offsetof(struct pp_arena, control)
#define PP_ARENA_FILE(at) ((off_t)((at)-PP_ARENA_HEAD))

/* Bytes of an arena of `slots` slots, with its head. */
static inline size_t
pp_arena_size(unsigned int slots)
{
	return (sizeof(struct pp_arena) + slots * sizeof(struct pp_slot));
}

/*
 * Make an arena for `workers` workers (1..PP_WORKERS_MAX) and map it.
 *
 * Returns the mapping, and in *fd the memfd (close-on-exec) of the shared part;
 * or NULL with errno set and *fd -1. The caller owns both, for the life of the
 * service. Called by the parent; not thread-safe, not signal-safe.
 */
struct pp_arena *pp_arena_create(unsigned int workers, int *fd);

/* For arena.c and facts.c. _file() makes a memfd of `size` bytes, whose size is
 * sealed; -1 with errno. _map() maps the memfd `fd` behind a head of zeros,
 * `size` bytes in all; NULL with errno. */
int pp_arena_file(const char *name, size_t size);
struct pp_arena *pp_arena_map(int fd, size_t size);

/* Unmap the arena. `size` is the number of bytes that the caller mapped; the
 * memfd stays with its owner. */
void pp_arena_detach(struct pp_arena *arena, size_t size);

/*
 * When no session reads the CPU ring of `slot`: give the ring's memory back to
 * the system. Afterwards all words read as 0, as in an empty ring. `fd` is the
 * arena's memfd. Called by the collector; an error is ignored.
 */
void pp_arena_ring_release(int fd, uint32_t slot);

/*
 * A process takes the slot over. If a counter that its predecessor left makes
 * no sense, everything but the slot's life and crash records is emptied
 * (counted). Called by the worker as it starts, while it has one thread.
 */
void pp_slot_repair(struct pp_slot *slot);

/* Count a loss. Any thread; async-signal-safe. */
static inline void
pp_slot_lose(struct pp_slot *slot, enum pp_loss what, uint64_t count)
{
	atomic_fetch_add_explicit(&slot->loss[what], count,
	    memory_order_relaxed);
}

#endif
