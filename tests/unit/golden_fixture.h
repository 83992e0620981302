/*
 * What two workers have written into a shared memory, the same to the last bit
 * in each run: the clock is the test's own, the workers' pids are nobody's, and
 * the files that names come from are built so that each function has a known
 * address.
 *
 * Rule: nothing here depends on the machine: what is built has no part of a
 * compiler's choice at the addresses that are asked for.
 */
#ifndef GOLDEN_FIXTURE_H
#define GOLDEN_FIXTURE_H

#include <sys/mman.h>

#include <signal.h>

#include "fixture.h"
#include "heap_counters_fixture.h"
#include "service/endpoints.h"
#include "service/service.h"
#include "store/deaths.h"
#include "store/routes.h"
#include "trace_fixture.h"

/* No process has such a pid: the kernel ends at 2^22. */
#define PARENT_PID	 5000000
#define WORKER_PID(slot) (PARENT_PID + 10 * (int)(slot))

#define WALL_NS		 (1700000000 * PP_NS_PER_SEC)

/* Functions of the two files, each 256 bytes from the one before. */
enum { FIB, PAGE_FIB, PAGE_CONCAT, REQUEST_RUN, WORKER_ENTRY, MAIN, TASK };
enum { EPOLL_WAIT, READ, MUTEX_LOCK, MALLOC, PTHREAD_CREATE, FORK };
#define EXE(function, at)  (EXE_START + (function)*0x100 + (at))
#define LIBC(function, at) (LIBC_START + (function)*0x100 + (at))
/* In fib() itself, and in what is inlined there. */
#define FIB_BODY EXE(FIB, 0x30)
#define FIB_STEP EXE(FIB, 0x60)

static struct traced all; /* of which the arena and `zero` are used */
static struct pp_symbols *symbols;
static struct pp_service *service;
static int64_t now_ns; /* CLOCK_MONOTONIC */

/* In place of libc's, for all that this program runs. */
int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t ns = now_ns;

	if (clock < 0) /* CPU time of a process */
		ns = (~(clock >> 3) - PARENT_PID) * 100 * PP_NS_PER_MS +
		    now_ns / 4;
	else if (clock == CLOCK_REALTIME)
		ns += WALL_NS;
	else if (clock == CLOCK_PROCESS_CPUTIME_ID)
		ns = 250 * PP_NS_PER_MS;
	ts->tv_sec = ns / PP_NS_PER_SEC;
	ts->tv_nsec = ns % PP_NS_PER_SEC;
	return (0);
}

/* Each function is longer than what a compiler puts before its body. */
#define SOURCE                                                                 \
	"#define BODY __asm__ volatile(\".skip 0x40, 0x90\")\n"                \
	"#define LONE(name) __attribute__((noinline, used, aligned(256)))"     \
	" void name(void)\n"

static const char kore_source[] =
    SOURCE "#line 1 \"/srv/app/src/app.c\"\n"
	   "static inline __attribute__((always_inline)) void step(void)\n"
	   "{\n"
	   "	BODY;\n"
	   "}\n"
	   "LONE(fib)\n"
	   "{\n"
	   "	BODY;\n"
	   "	step();\n"
	   "}\n"
	   "LONE(page_fib) { BODY; }\n"
	   "LONE(page_concat) { BODY; }\n"
	   "#line 100 \"/srv/kore/src/http.c\"\n"
	   "LONE(http_request_run) { BODY; }\n"
	   "#line 200 \"/srv/kore/src/worker.c\"\n"
	   "LONE(kore_worker_entry) { BODY; }\n"
	   "LONE(main) { BODY; }\n"
	   "#line 300 \"/srv/app/src/task <&>.c\"\n"
	   "LONE(task_run) { BODY; }\n";

static const char libc_source[] = SOURCE "LONE(epoll_wait) { BODY; }\n"
					 "LONE(read) { BODY; }\n"
					 "LONE(pthread_mutex_lock) { BODY; }\n"
					 "LONE(malloc) { BODY; }\n"
					 "LONE(pthread_create) { BODY; }\n"
					 "LONE(fork) { BODY; }\n";

static inline void
golden_build_one(const char *name, const char *source, const char *id,
    const char *options)
{
	char file[32];

	snprintf(file, sizeof(file), "%s.c", name);
	fixture_write(file, source);
	fixture_sh(
	    "gcc -O1 -w -fPIC -fno-toplevel-reorder -fno-builtin -shared "
	    "-nostdlib %s -Wl,-Ttext=0x1000 -Wl,--build-id=0x$(printf "
	    "'%s%%.0s' $(seq 20)) -o %s.so %s.c",
	    options, id, name, name);
}

/* Made once, opened for each service. */
static inline void
golden_build(void)
{
	golden_build_one("kore", kore_source, "01", "-g");
	golden_build_one("libc", libc_source, "02", "-g0");
}

static inline void
golden_file(const char *file, const char *name, int build_id)
{
	uint8_t id[20];
	int fd, debug;

	memset(id, build_id, sizeof(id));
	fd = pp_symbols_open(fixture_path(file), id, sizeof(id), &debug);
	assert_int_not_equal(fd, -1);
	assert_true(
	    pp_symbols_add(symbols, id, sizeof(id), name, fd, debug) >= 0);
}

static inline uint32_t
golden_label(uint32_t slot, const char *text, size_t len)
{
	return (fixture_label(&all.c.f, slot, text, len));
}
#define LABEL(slot, text) golden_label((slot), (text), sizeof(text))
#define GET_FIB		  "http.route\0/fib/\0http.method\0GET"
#define POST_CONCAT                                                            \
	"http.route\0^/concat/.*$\0http.method\0POST\0customer\0<a&b> \"c\""

#define PCS(...)                                                               \
	(const uint64_t[]){ __VA_ARGS__ },                                     \
	    sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)
#define STACK(slot, ...) counts_stack(&all.c, (slot), 2, PCS(__VA_ARGS__))
#define HANDLER		 EXE(REQUEST_RUN, 0x30), EXE(WORKER_ENTRY, 0x30), EXE(MAIN, 0x30)

static inline void
golden_sample(uint32_t slot, int pid, uint32_t times, uint64_t label,
    const uint64_t *pc, uint32_t pcs)
{
	while (times-- > 0)
		assert_int_equal(fixture_put(&all.c.f, slot, pid, pid, 10 * MS,
				     label, pc, pcs),
		    0);
}

/* CPU time of both workers, of one with labels, and one without a stack. */
static inline void
golden_cpu(void)
{
	uint32_t slot;

	for (slot = 1; slot < 3; slot++) {
		golden_sample(slot, WORKER_PID(slot), 40, LABEL(slot, GET_FIB),
		    PCS(FIB_STEP, EXE(PAGE_FIB, 0x30), HANDLER));
		golden_sample(slot, WORKER_PID(slot), 20, LABEL(slot, GET_FIB),
		    PCS(FIB_BODY, EXE(PAGE_FIB, 0x30), HANDLER));
		golden_sample(slot, WORKER_PID(slot), 10 * slot,
		    LABEL(slot, POST_CONCAT),
		    PCS(LIBC(MALLOC, 0x30), EXE(PAGE_CONCAT, 0x30), HANDLER));
		golden_sample(slot, WORKER_PID(slot) + 1, 7, 0,
		    PCS(EXE(TASK, 0x30)));
		golden_sample(slot, WORKER_PID(slot), 2, 0, NULL, 0);
		/* Of no file. */
		golden_sample(slot, WORKER_PID(slot), 3, 0,
		    PCS(0x1234, EXE(MAIN, 0x30)));
		atomic_fetch_add(&all.c.f.arena->slot[slot].samples, 100);
		atomic_fetch_add(&all.c.f.arena->slot[slot].samples_ns, 270000);
	}
}

static inline void
golden_sums(uint32_t slot)
{
	struct pp_slot *to = &all.c.f.arena->slot[slot];
	uint32_t fib = LABEL(slot, GET_FIB), concat = LABEL(slot, POST_CONCAT);
	uint32_t in_fib = STACK(slot, LIBC(MALLOC, 0x30), FIB_STEP,
		     EXE(PAGE_FIB, 0x30), HANDLER),
		 in_concat = STACK(slot, LIBC(MALLOC, 0x30),
		     EXE(PAGE_CONCAT, 0x30), HANDLER),
		 in_lock = STACK(slot, LIBC(MUTEX_LOCK, 0x30),
		     EXE(PAGE_FIB, 0x30), HANDLER),
		 in_task = STACK(slot, LIBC(READ, 0x30), EXE(TASK, 0x30));
	struct heap h = { .f = all.c.f };

	heap_put(&h, slot, in_fib, fib, 48, RATE, 5 * slot, 2);
	heap_put(&h, slot, in_concat, concat, 100000, RATE, 9, 9);
	heap_put(&h, slot, in_concat, concat, 3 << 20, RATE, 4, slot);
	heap_put(&h, slot, 0, 0, 64, 4096, 3, 0);
	counts_add(&to->block, PP_WAIT_PGSQL, concat, in_concat,
	    7 * PP_WAIT_ONE, 123456789);
	counts_add(&to->block, PP_WAIT_MUTEX, fib, in_lock, 300 * slot,
	    5000000);
	counts_add(&to->block, PP_WAIT_SLEEP, 0, in_task, PP_WAIT_ONE, 40000);
	counts_add(&to->mutex, PP_WAIT_MUTEX, fib, in_fib, 3 * PP_WAIT_ONE / 2,
	    777777);
	counts_add(&to->custom.counters, 0, concat, in_concat, 10, 3);
	counts_add(&to->custom.counters, 0, 0, in_task, 5, slot == 1 ? 5 : 0);
	counts_add(&to->custom.counters, 1, fib, in_fib, 2, 0);
}

static inline void
golden_route(uint32_t slot, uint32_t label, uint64_t requests)
{
	struct pp_route *row =
	    pp_routes_at(&all.c.f.arena->slot[slot].routes, label);
	uint64_t i, ns;

	for (i = 0; i < requests; i++) {
		ns = (i + 1) * (i + 1) * 100000;
		pp_route_add(&row->begun, 1);
		pp_route_add(&row->ns, ns);
		pp_route_add(&row->running_ns, ns / 2);
		pp_route_add(&row->time[pp_route_time(ns)], 1);
	}
	pp_route_add(&row->begun, 1); /* in flight */
	pp_route_add(&row->abandoned, slot == 2);
}

static inline struct pp_inflight *
golden_inflight(uint32_t slot, uint32_t entry, enum pp_wait state,
    uint32_t label, uint32_t stack)
{
	struct pp_inflights *table = &all.c.f.arena->slot[slot].inflights;
	struct pp_inflight *inflight = &table->inflight[entry];

	if (table->used <= entry)
		table->used = entry + 1;
	table->requests++;
	memset(inflight, 0, sizeof(*inflight));
	inflight->id = 1000 * slot + 3 * entry + 1;
	inflight->state = state;
	inflight->label = label;
	inflight->stack = stack;
	inflight->started_ns = now_ns - (100 + entry) * PP_NS_PER_SEC;
	inflight->since_ns = now_ns - (70 + entry) * PP_NS_PER_SEC;
	inflight->bytes_in = 17 * entry;
	inflight->bytes_out = 5000 * entry;
	snprintf(inflight->path, sizeof(inflight->path), "/page/%u", entry);
	return (inflight);
}

/* Requests and tasks, and the threads that they are in; all threads but one
 * have answered whatever is asked here. */
static inline void
golden_thread(uint32_t slot, uint32_t place, uint32_t label, uint64_t inflight,
    const uint64_t *pc, uint32_t pcs)
{
	struct pp_slot *to = &all.c.f.arena->slot[slot];
	struct pp_thread_facts *facts = &to->thread[place];
	uint32_t i;

	to->threads_used = place + 1;
	facts->tid = (uint32_t)WORKER_PID(slot) + place;
	facts->started_ns = now_ns - 60 * PP_NS_PER_SEC;
	facts->label = label;
	facts->inflight = inflight;
	facts->frames = pcs;
	for (i = 0; i < pcs; i++)
		facts->pc[i] = pc[i];
	facts->dumped = 100;
	if (place == 0)
		return;
	facts->creator = STACK(slot, LIBC(PTHREAD_CREATE, 0x30),
	    EXE(PAGE_CONCAT, 0x30), HANDLER);
	facts->creator_label = place == 1 ? LABEL(slot, POST_CONCAT) : 0;
}

static inline void
golden_live(uint32_t slot)
{
	uint32_t fib = LABEL(slot, GET_FIB), concat = LABEL(slot, POST_CONCAT),
		 asleep = STACK(slot, EXE(PAGE_CONCAT, 0x30), HANDLER);
	struct pp_inflights *table = &all.c.f.arena->slot[slot].inflights;
	struct pp_inflight *task;

	table->running = golden_inflight(slot, 0, PP_WAIT_NONE, fib, 0)->id;
	(void)golden_inflight(slot, 1, PP_WAIT_PGSQL, concat, asleep);
	(void)golden_inflight(slot, 2, PP_WAIT_PGSQL, concat, asleep);
	task = golden_inflight(slot, 3, PP_WAIT_NONE, concat, asleep);
	task->task = 1;
	task->request = table->inflight[1].id;
	task->tid = (uint32_t)WORKER_PID(slot) + 1;
	golden_inflight(slot, 4, PP_WAIT_QUEUE, concat, asleep)->task = 1;
	golden_thread(slot, 0, fib, table->running,
	    PCS(FIB_STEP, EXE(PAGE_FIB, 0x30), HANDLER));
	golden_thread(slot, 1, concat, task->id,
	    PCS(LIBC(READ, 0x30), EXE(TASK, 0x30)));
	golden_thread(slot, 2, 0, 0,
	    PCS(LIBC(MUTEX_LOCK, 0x30), EXE(TASK, 0x30)));
	golden_thread(slot, 3, 0, 0,
	    PCS(LIBC(EPOLL_WAIT, 0x30), EXE(TASK, 0x30)));
	if (slot == 2)
		all.c.f.arena->slot[slot].thread[2].dumped = 0;
}

/* What the kernel and the first worker say of its memory; the second one says
 * nothing. */
static inline void
golden_memory(void)
{
	static const char rollup[] = "Rss: 20480 kB\nPss: 10240 kB\n"
				     "Shared_Clean: 4096 kB\n"
				     "Shared_Dirty: 8 kB\n"
				     "Private_Clean: 512 kB\n"
				     "Private_Dirty: 15864 kB\n";
	struct pp_memory_facts *facts = &all.c.f.arena->slot[1].memory;
	int fd = memfd_create("rollup", MFD_CLOEXEC);

	facts->malloc_arena = 30 << 20;
	facts->malloc_mapped = 3 << 20;
	facts->malloc_used = 20 << 20;
	facts->malloc_free = 10 << 20;
	facts->stacks = 96 << 10;
	facts->pools = 2;
	facts->pool[0] = (struct pp_pool_facts){ "block-8", 24, 100, 7 };
	facts->pool[1] = (struct pp_pool_facts){ "http", 960, 1024, 1000 };
	facts->answered = 100;
	assert_int_equal(write(fd, rollup, sizeof(rollup) - 1),
	    sizeof(rollup) - 1);
	pp_service_take_proc(service, 1, WORKER_PID(1), fd);
}

static inline void
golden_ticks(int64_t ns)
{
	int64_t end = now_ns + ns;

	for (; now_ns < end; now_ns += 500 * PP_NS_PER_MS)
		(void)pp_service_tick(service, now_ns);
}

/* A worker that a signal has ended, the one in its place, and one whose event
 * loop is held. */
static inline void
golden_death_and_stall(void)
{
	struct pp_slot *slot = all.c.f.arena->slot;

	golden_sample(1, WORKER_PID(1) - 5, 3, LABEL(1, GET_FIB),
	    PCS(FIB_STEP, EXE(PAGE_FIB, 0x30), HANDLER));
	golden_ticks(PP_NS_PER_SEC);
	golden_live(1);
	pp_deaths_put(&slot[1], 1, WORKER_PID(1) - 5, SIGSEGV, 1);
	slot[1].life.generation = 2;
	slot[1].life.dead_cpu_ns = 7 * PP_NS_PER_SEC;
	golden_live(1);
	golden_live(2);
	slot[2].busy_ns = slot[2].inflights.inflight[0].since_ns = now_ns;
	golden_ticks(3 * PP_NS_PER_SEC);
}

static inline void
golden_arena(void)
{
	static const char cmdline[] = "kore\0-c\0conf/app.conf";
	struct pp_arena *arena = pp_arena_create(2, &all.c.f.fd);
	uint32_t slot, i;

	assert_non_null(arena);
	all.c.f.arena = arena;
	memcpy(arena->cmdline, cmdline, sizeof(cmdline) - 1);
	arena->cmdline_len = sizeof(cmdline) - 1;
	memcpy(arena->server, "kore 4.1.0", 11);
	arena->parent_pid = PARENT_PID;
	arena->started_ns = pp_clock_wall() - 65 * PP_NS_PER_SEC;
	arena->jiffy_ns = 4 * PP_NS_PER_MS;
	arena->perf_paranoid = 2;
	arena->recorder_hz = 19;
	arena->stall_ms = 1000;
	arena->control.heap_rate = RATE;
	arena->control.block_rate_ns = 10000;
	arena->control.mutex_fraction = 1;
	for (slot = 0; slot < 3; slot++) {
		fixture_load(&all.c.f, slot, "/srv/app/kore", EXE_START, 1);
		fixture_load(&all.c.f, slot, "/lib/libc.so.6", LIBC_START, 2);
		if (slot == 0)
			continue;
		arena->slot[slot].life.pid = WORKER_PID(slot);
		arena->slot[slot].life.generation = 1;
		arena->slot[slot].life.started_ns = arena->started_ns;
		arena->slot[slot].life.fork_stack =
		    STACK(0, LIBC(FORK, 0x30), EXE(MAIN, 0x30));
		arena->slot[slot].clocks = PP_CLOCK_TIMER | PP_SIGPROF_CAME;
	}
	for (i = 0; i < PP_LOSS_COUNT; i++)
		pp_slot_lose(&arena->slot[1 + i % 2], (enum pp_loss)i, i + 1);
}

static inline void
golden_begin(void)
{
	uint32_t slot;

	now_ns = 5000 * PP_NS_PER_SEC;
	golden_arena();
	symbols = pp_symbols_new();
	golden_file("kore.so", "/srv/app/kore", 1);
	golden_file("libc.so", "/lib/libc.so.6", 2);
	service = pp_service_new(all.c.f.arena, all.c.f.fd, symbols);
	assert_non_null(service);
	/* The same label set has another number in each worker. */
	(void)LABEL(2, POST_CONCAT);
	for (slot = 1; slot < 3; slot++) {
		struct pp_custom *own = &all.c.f.arena->slot[slot].custom;

		strcpy(own->name[0], "db.connections");
		strcpy(own->name[1], "files<&>");
		own->used = 2;
		golden_sums(slot);
		golden_route(slot, LABEL(slot, GET_FIB), 20 * slot);
		golden_route(slot, LABEL(slot, POST_CONCAT), 5);
		golden_route(slot, 0, 1);
	}
	golden_memory();
	golden_death_and_stall();
	golden_cpu();
	golden_ticks(20 * PP_NS_PER_SEC);
}

static inline void
golden_end(void)
{
	pp_service_free(service);
	service = NULL;
	pp_symbols_free(symbols);
	pp_arena_detach(all.c.f.arena, all.c.f.arena->size);
	close(all.c.f.fd);
}

/* Requests, a task, waits and calls, as the threads of one worker tell them,
 * and what the application tells itself. */
static inline void
golden_trace(uint32_t slot)
{
	uint32_t fib = LABEL(slot, GET_FIB), concat = LABEL(slot, POST_CONCAT);
	uint64_t id = 1000 * slot + 500, pid = (uint64_t)WORKER_PID(slot) << 32,
		 text, stack = STACK(slot, EXE(PAGE_CONCAT, 0x30), HANDLER);

	memcpy(&text, "parse\0\0", 8);
	PUT_BY(&all, slot, 0, 10, PP_TRACE_BEGIN, 0, 0,
	    pid | (uint32_t)WORKER_PID(slot), 0);
	PUT_BY(&all, slot, 0, 10, PP_TRACE_SNAPSHOT, PP_WAIT_PGSQL, concat,
	    1000 * slot + 4, stack, (uint64_t)all.zero, 0, 0);
	PUT_BY(&all, slot, 0, 20, PP_TRACE_DROPPED, 0, 0, 3);
	PUT_BY(&all, slot, 0, 90, PP_TRACE_RUN, 0, fib, id);
	PUT_BY(&all, slot, 0, 100, PP_TRACE_USER_TASK, 5, 0, id + 1000, id,
	    text);
	PUT_BY(&all, slot, 0, 110, PP_TRACE_USER_REGION, 5, 0, id + 1000, text);
	PUT_BY(&all, slot, 0, 120, PP_TRACE_USER_LOG, 5, 3, id + 1000, text,
	    0x636261);
	PUT_BY(&all, slot, 0, 130, PP_TRACE_USER_REGION_END, 0, 0);
	PUT_BY(&all, slot, 0, 140, PP_TRACE_USER_TASK_END, 0, 0, id + 1000);
	PUT_BY(&all, slot, 0, 150, PP_TRACE_CALL, PP_CALL_nanosleep, 0);
	PUT_BY(&all, slot, 0, 2150, PP_TRACE_CALL_END, PP_CALL_nanosleep, 0,
	    stack);
	PUT_BY(&all, slot, 0, 2160, PP_TRACE_TASK_QUEUED, 0, concat, id + 3, id,
	    stack);
	PUT_BY(&all, slot, 0, 2170, PP_TRACE_SLEEP, PP_WAIT_TASK, 0, id, stack);
	PUT_BY(&all, slot, 0, 2180, PP_TRACE_RAN, 0, 0, id);
	PUT_BY(&all, slot, 1, 2200, PP_TRACE_BEGIN, 0, 0,
	    pid | ((uint32_t)WORKER_PID(slot) + 1), 0);
	PUT_BY(&all, slot, 1, 2210, PP_TRACE_TASK_RUN, 0, concat, id + 3);
	PUT_BY(&all, slot, 1, 2220, PP_TRACE_WAIT, PP_WAIT_MUTEX, 0);
	PUT_BY(&all, slot, 1, 3220, PP_TRACE_WAIT_END, PP_WAIT_MUTEX, 0, stack);
	PUT_BY(&all, slot, 1, 3300, PP_TRACE_TASK_END, 0, 0, id + 3);
	PUT_BY(&all, slot, 0, 2300, PP_TRACE_POLL, 0, 0);
	PUT_BY(&all, slot, 0, 3310, PP_TRACE_POLL_OUT, 1, 0);
	PUT_BY(&all, slot, 0, 3320, PP_TRACE_INSTANT,
	    PP_TRACE_INSTANT_CONNECTION, 0, 0);
	PUT_BY(&all, slot, 0, 3330, PP_TRACE_WAKE, PP_WAIT_TASK, 0, id, stack);
	PUT_BY(&all, slot, 0, 3340, PP_TRACE_RUN, 0, fib, id);
	PUT_BY(&all, slot, 0, 4340, PP_TRACE_RAN, 1, 0, id);
	PUT_BY(&all, slot, 0, 4350, PP_TRACE_WAKE, PP_WAIT_PGSQL, 0,
	    1000 * slot + 4, 0);
	PUT_BY(&all, slot, 0, 4360, PP_TRACE_END, 0, 0, 1000 * slot + 4);
}

/* What happens while somebody waits for an answer. */
static inline void
golden_meanwhile(void)
{
	uint32_t slot;

	all.zero = now_ns;
	now_ns += 20 * PP_NS_PER_MS;
	golden_cpu();
	for (slot = 1; slot < 3; slot++) {
		golden_trace(slot);
		golden_sums(slot);
	}
	golden_inflight(1, 2, PP_WAIT_NONE, 0, 0)->id = 0;
	golden_inflight(1, 5, PP_WAIT_SLEEP, LABEL(1, GET_FIB), 0);
}

#endif
