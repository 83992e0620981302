/*
 * The arena: the shared memory in which the workers write and from which the
 * collector reads. This is its layout and how to map it; what is written
 * into it is in ring.h, words.h and objects.h.
 *
 * It is a memfd, made by the parent before the first worker is forked, and
 * mapped behind a head that no other process can write:
 *
 *     head          | control words | slot 0 (parent) | slot 1 (worker 1) ...
 *     private       | shared: the memfd
 *
 * How large everything is, and all else that the parent found out once, stands
 * in the head: the workers inherit it by their fork, the collector is given it
 * as facts (facts.h).
 *
 * It is sparse: a page that nobody touched costs nothing, so the sizes here
 * are bounds, not costs. No pointers: offsets and ids only, every process
 * maps it where it likes.
 *
 * Rule: each field says who writes it. A reader trusts nothing that is shared:
 * all processes of a service can write all of it, and one of them may have been
 * taken over. Numbers are checked against limits.h before they index, and are
 * read once. The parent, which is root, acts upon nothing that it reads there.
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

/* One loaded object of a process; see objects.h. */
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
	_Atomic uint32_t changes; /* +1 after each change: "read again" */
	struct pp_object object[PP_OBJECTS_MAX];
};

/* Interned label sets; see words.h. */
struct pp_label_table {
	_Atomic uint32_t used;
	_Atomic uint32_t index[PP_LABEL_INDEX];
	uint64_t words[PP_LABEL_WORDS];
};

/* Interned stacks; see words.h. The first word of a stack is how many objects
 * the process knew, so that an address which two objects had, one after the
 * other, means the right one; then return addresses, the caller first. */
struct pp_stack_table {
	_Atomic uint32_t used;
	_Atomic uint32_t index[PP_STACK_INDEX];
	uint64_t words[PP_STACK_WORDS];
};

/* What is summed up for one key; see rows.h for who adds. All only grow. */
struct pp_row {
	_Atomic uint64_t key; /* 0: not in use */
	_Atomic uint64_t value[4];
};

/* Heap samples as they are, not scaled up; see heap.h. */
struct pp_heap_table {
	_Atomic uint64_t rate[PP_HEAP_RATES];  /* 0: unused; index in keys */
	_Atomic uint32_t used;		       /* rows */
	_Atomic uint32_t index[PP_HEAP_INDEX]; /* row + 1 */
	struct pp_row row[PP_HEAP_ROWS];
};

/* Waits; see waits.h for the keys. The values are PP_WAIT_... below. */
struct pp_wait_table {
	_Atomic uint32_t used;		       /* rows */
	_Atomic uint32_t index[PP_WAIT_INDEX]; /* row + 1 */
	struct pp_row row[PP_WAIT_ROWS];
};

/* The application's own profiles, by name; rows are keyed by pp_wait_pack()
 * with the profile's place for the wait, and hold what was added and what was
 * removed again. */
struct pp_own {
	_Atomic uint32_t used;
	char name[PP_OWN_MAX][PP_OWN_NAME_MAX]; /* terminated */
	struct pp_wait_table rows;
};

/* A request or a task in progress. Written by the worker: the event loop's
 * thread, and for state and since the task's own. A reader that sees `id`
 * change while it copies throws the copy away. */
struct pp_flight {
	_Atomic uint64_t id;	  /* never reused in a service; 0: free */
	_Atomic uint32_t task;	  /* 0: a request, 1: a task */
	_Atomic uint32_t state;	  /* enum pp_wait; NONE: it runs, or is about
				      to */
	_Atomic uint32_t label;	  /* label set id */
	_Atomic uint32_t stack;	  /* id, where it went to sleep or was queued */
	_Atomic uint64_t request; /* of a task: id of the request it is for;
				     0: none */
	_Atomic int64_t started_ns;    /* CLOCK_MONOTONIC */
	_Atomic int64_t since_ns;      /* in this state */
	_Atomic uint32_t tid;	       /* the task's thread, 0: none yet */
	_Atomic uint32_t bytes_in;     /* of the body, as far as it has come */
	_Atomic uint64_t bytes_out;    /* of answers, handed over to be sent */
	char path[PP_FLIGHT_PATH_MAX]; /* as asked, cut; terminated */
};

struct pp_flights {
	_Atomic uint32_t used;	   /* entries below this were used once */
	_Atomic uint64_t tasks;	   /* that ids were given to, in this slot */
	_Atomic uint64_t requests; /* likewise, by the event loop's thread */
	_Atomic uint64_t running;  /* id of the request whose handler runs, 0 */
	struct pp_flight flight[PP_FLIGHTS_MAX];
};

/* The requests of one label set. Written by the event loop's thread only; all
 * but `label` only grow. See routes.h. */
struct pp_route {
	_Alignas(64) _Atomic uint32_t label; /* set id */
	_Atomic uint64_t begun;	     /* whose handler was called first */
	_Atomic uint64_t abandoned;  /* ended, but not by their handler: the
				       client left, or the worker died */
	_Atomic uint64_t ns;	     /* from the first call to the end */
	_Atomic uint64_t running_ns; /* of these, inside the handler */
	_Atomic uint64_t time[PP_ROUTE_TIMES]; /* requests that ended, by ns */
};

/* Row 0 has what finds no place. Rows are used one after the other, so that
 * no more of them are touched. */
struct pp_routes {
	_Atomic uint32_t used;			   /* rows below this */
	_Atomic uint32_t index[2 * PP_ROUTES_MAX]; /* rows, by hash of label */
	struct pp_route row[PP_ROUTES_MAX + 1];
};

/* A thread, by its place in the worker's table. Written by itself. */
struct pp_thread_facts {
	_Atomic uint32_t tid;	  /* 0: free */
	_Atomic uint32_t creator; /* stack id of its pthread_create(), 0 */
	_Atomic uint32_t creator_label;
	_Atomic int64_t started_ns; /* CLOCK_MONOTONIC */
	/* CPU time since its last sample, when control.clocks asked; by any
	 * thread of the process. */
	_Atomic uint64_t unsampled_ns;
	/* Its stack when control.dump asked, in its own signal handler;
	 * `dumped` last. */
	_Atomic uint32_t dumped;
	_Atomic uint32_t label;
	_Atomic uint64_t flight; /* id of the request or task it is in, 0 */
	_Atomic uint32_t frames;
	_Atomic uint64_t pc[PP_FRAMES_MAX]; /* exact pc, return addresses */
	/* What it did when control.trace changed, likewise: that number in
	 * `traced`, last. */
	_Atomic uint32_t traced;
	_Atomic uint32_t traced_call;  /* 1: it was in a system call */
	_Atomic uint32_t traced_stack; /* id; 0: none, or it was in no call */
	_Atomic uint64_t traced_flight;
};

/* Bounded queue of records; see ring.h. */
struct pp_ring {
	_Atomic uint64_t head;	 /* the producers: next word to reserve */
	_Atomic uint64_t sealed; /* the worker at its start: nothing below
				    this will be finished any more */
	char pad[48];		 /* keep the two sides' cache lines apart */
	_Atomic uint64_t tail;	 /* the collector: next word to read */
	char pad2[56];
	_Atomic uint64_t words[PP_CPU_RING_WORDS];
};

/* The two ends of a thread's trace ring; what is in it is in trace.h. */
struct pp_trace_ring {
	_Atomic uint64_t head; /* its thread: next word to write */
	char pad[56];
	_Atomic uint64_t tail; /* the collector: next word to read */
	char pad2[56];
};

/* Life of the process in a slot. Written by the parent, at fork and when it
 * reaps; `pid` and `generation` also by the worker itself as it starts. */
struct pp_life {
	_Atomic int32_t pid;	     /* 0: nobody is in the slot now */
	_Atomic uint32_t generation; /* +1 for each process put here */
	_Atomic int64_t started_ns;  /* wall time */
	_Atomic int64_t dead_cpu_ns; /* CPU time of all that died here */
	/* Of all children that processes here have waited for; by the event
	 * loop of the one that is here. */
	_Atomic int64_t children_cpu_ns;
	_Atomic uint32_t deaths;
	_Atomic int32_t last_status; /* of waitpid(), of the last one dead */
	_Atomic uint32_t last_label; /* of the request it died in; 0: none */
	_Atomic uint32_t fork_stack; /* id in slot 0: where it was forked */
};

/* What a process left that a signal ended. Written by the parent when it reaps,
 * before the next process of the slot clears the table; `number` last. */
struct pp_last_words {
	_Atomic uint32_t number; /* of the death in this slot, 1.. */
	int32_t pid;
	int32_t status;	  /* of waitpid() */
	int64_t died_ns;  /* CLOCK_MONOTONIC */
	uint64_t running; /* id of the request whose handler ran; 0: none */
	uint32_t flights; /* in progress, all */
	uint32_t kept;	  /* of these, below; the one that ran is the first */
	struct pp_flight flight[PP_LAST_FLIGHTS];
};

/* Bits of pp_arena.entry_refused: groups of the server's own functions. */
enum pp_entries {
	PP_ENTRIES_MEMORY = 1,	/* allocations */
	PP_ENTRIES_FLIGHTS = 2, /* requests that sleep, wake and end */
	PP_ENTRIES_MARKS = 4,	/* the server's own part of a trace */
	PP_ENTRIES_CALLS = 8,	/* tasks and timers that the program makes */
	PP_ENTRIES_CURL = 16,	/* requests that wait for libcurl */
	PP_ENTRIES_ANSWERS = 32 /* the bytes that requests answer */
};

/* Bits of pp_slot.clocks. */
enum pp_clock_seen {
	PP_CLOCK_TIMER = 1,	    /* a CPU timer was made */
	PP_CLOCK_TIMER_REFUSED = 2, /* or the kernel refused one */
	PP_CLOCK_PERF = 4,	    /* a perf_event */
	PP_CLOCK_WALL = 16,	    /* a timer of wall time, above the tick */
	PP_TGKILL_REFUSED = 32,	    /* no thread can be asked for its stack */

	/* How the application uses SIGPROF itself. */
	PP_SIGPROF_HANDLED = 64,  /* it has an action of its own */
	PP_SIGPROF_CAME = 128,	  /* one that is not ours has come */
	PP_SIGPROF_BLOCKED = 256, /* a thread has it in its mask */
	PP_SIGPROF_AWAITED = 512  /* a thread waits for it */
};

struct pp_slot {
	struct pp_life life;
	_Atomic uint64_t loss[PP_LOSS_COUNT]; /* whoever loses; only grow */
	struct pp_last_words last[PP_LAST_DEATHS]; /* by number */
	/* What clocks its threads have got, enum pp_clock_seen; by whoever
	 * arms them. And what samples have cost: their count, and the time from
	 * the begin to the end of writing one; by the signal handler. */
	_Atomic uint32_t clocks;
	_Atomic uint32_t deaths_told; /* by the collector: in its log */
	_Atomic uint32_t clocks_told; /* control.clocks, when all unsampled_ns
					 were written for it */
	_Atomic uint64_t samples;
	_Atomic uint64_t samples_ns;
	struct pp_objects objects;
	struct pp_label_table labels;
	struct pp_stack_table stacks;
	struct pp_heap_table heap;
	struct pp_memory_facts memory;
	struct pp_wait_table block;
	struct pp_wait_table mutex;
	struct pp_own own;
	/* Since when the event loop has not waited for events; 0: it waits.
	 * CLOCK_MONOTONIC_COARSE, by the event loop's thread. Here, for it is
	 * written as often as the head of the next, and lies in its page. */
	_Alignas(512) _Atomic int64_t busy_ns;
	struct pp_flights flights;
	struct pp_routes routes;
	_Atomic uint32_t threads_used; /* places below this were used once */
	struct pp_thread_facts thread[PP_THREADS_MAX];
	struct pp_ring cpu;
	struct pp_trace_ring trace[PP_THREADS_MAX]; /* by place */
	_Atomic uint64_t trace_loop[PP_TRACE_LOOP_WORDS];
	_Atomic uint64_t trace_thread[PP_THREADS_MAX][PP_TRACE_THREAD_WORDS];
};

struct pp_arena {
	/* The head: written by the parent before the first fork, then
	 * constant. */
	uint64_t magic;
	uint64_t size;	    /* of the whole arena, bytes, with the head */
	uint64_t slot_size; /* sizeof(struct pp_slot) in the writer's build */
	uint32_t slots;	    /* slot 0 and one for each worker */
	int32_t parent_pid;
	int64_t started_ns; /* wall time */
	char server[64];    /* "kore 4.1.0" */

	/* enum pp_entries, which calls inside the server could not be
	 * followed, so that only those of its modules are seen. */
	_Atomic uint32_t entry_refused;
	uint32_t stackless;    /* 1: there is no unwinder */
	int64_t tick_ns;       /* of the kernel */
	int32_t perf_paranoid; /* kernel.perf_event_paranoid; -100: unknown */
	uint32_t perf_event;   /* 1: perf_event_open is asked for */
	uint32_t sandbox_left; /* 1: Kore did not take our rules */
	uint32_t chrooted;     /* 1: workers enter another root */
	uint32_t runas;	       /* 1: workers become another user */
	uint32_t cmdline_len;
	char cmdline[PP_CMDLINE_MAX]; /* argv joined by NUL, none at the end */

	/* What the operator has given, for a collector as it starts. */
	uint64_t recorder_hz; /* 0: off; PPROF_RECORDER_HZ */
	uint64_t stall_ms;    /* 0: off; PPROF_STALL_MS */
	uint64_t memory_mib;  /* 0: no bound; PPROF_MEMORY_MIB */

	/* Shared from here on. */
	_Alignas(4096) struct pp_control control;

	_Alignas(4096) struct pp_slot slot[];
};

/* Bytes of the head, and where in the memfd a byte of the arena is. */
#define PP_ARENA_HEAD	  offsetof(struct pp_arena, control)
#define PP_ARENA_FILE(at) ((off_t)((at)-PP_ARENA_HEAD))

/* Bytes of an arena of so many slots. */
static inline size_t
pp_arena_size(unsigned int slots)
{
	return (sizeof(struct pp_arena) + slots * sizeof(struct pp_slot));
}

/*
 * Make an arena for `workers` workers (1..PP_WORKERS_MAX) and map it.
 *
 * Returns the mapping, and in *fd the memfd (close-on-exec) that holds what is
 * shared; or NULL with errno set. The caller owns both, for the life of the
 * service. Called by the parent; not signal-safe.
 */
struct pp_arena *pp_arena_create(unsigned int workers, int *fd);

/* For these and facts.c: a memfd of that size, which stays so; and the mapping
 * of what is shared, behind a head of zeros. -1 and NULL, with errno. */
int pp_arena_file(const char *name, size_t size);
struct pp_arena *pp_arena_map(int fd, size_t size);

/* Unmap `size` bytes, as the caller saw them when it attached; the memfd stays
 * with its owner. */
void pp_arena_detach(struct pp_arena *arena, size_t size);

/*
 * Give the memory of a slot's CPU ring back to the system, when no session
 * reads it. The words read as 0 afterwards, which is an empty ring's state.
 * `fd` is the arena's memfd. Called by the collector. Best effort.
 */
void pp_arena_ring_release(int fd, uint32_t slot);

/*
 * A process takes the slot over: when what its predecessor left there makes no
 * sense, all but the slot's life and deaths is emptied (counted). Called by the
 * worker as it starts.
 */
void pp_slot_repair(struct pp_slot *slot);

static inline void
pp_slot_lose(struct pp_slot *slot, enum pp_loss what, uint64_t count)
{
	atomic_fetch_add_explicit(&slot->loss[what], count,
	    memory_order_relaxed);
}

#endif
