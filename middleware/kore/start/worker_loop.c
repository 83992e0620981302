/*
 * The wrapper of the event loop's epoll_wait(). A worker answers there what
 * malloc() and Kore's pools hold, and takes the time for the watch of stalls. A
 * question is a number in the control words; the signal that comes with it ends
 * epoll_wait().
 *
 * The collector stores ask_trim before `ask`, which is loaded here with
 * acquire; the facts are stored before `answered`, which the collector loads
 * with acquire (counts/memory.c). Both numbers wrap after 2^32 questions and
 * are compared by their difference there, and for equality here.
 *
 * Rule: the event loop's thread only; errno stays.
 */
#include <kore/kore.h>

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot_path.h"
#include "capture/self.h"
#include "capture/trace.h"
#include "hook/sleeps.h"
#include "kore/adapter.h"
#include "kore/routes/history.h"

int (*pp_loop_real_epoll_wait)(int, struct epoll_event *, int,
    int) PP_HOT_PATH_DATA;

/* The number of the question that was answered last. The slot has the number,
 * too, but in another page, which each turn would have to touch. */
PP_HOT_PATH_DATA static uint32_t loop_answered;

/* When the children's CPU time was read last, and the CPU time that children of
 * earlier workers of the slot have used. In ns. */
PP_HOT_PATH_DATA static int64_t loop_checked, loop_children_before;

/* How many pages one call of mincore() looks at. If one of them is not mapped,
 * the call refuses them all. */
#define PAGES 16

/* The unwinder asks by mincore(), too, whether it may read a page, and is
 * silent if the call is refused. So it is said here, once. */
static void
loop_no_epoll(int error)
{
	static int logged;

	if (logged || (error != EPERM && error != ENOSYS))
		return;
	logged = 1;
	pp_kore_log("mincore: %s: stacks may lack their callers",
	    strerror(error));
}

/* How many bytes of [start, start + size) are in memory. */
static uint64_t
loop_resident(uintptr_t start, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), left, i;
	unsigned char in[PAGES];
	uint64_t resident = 0;

	for (left = size / page; left > 0; left -= i) {
		i = left < PAGES ? left : PAGES;
		if (mincore((void *)start, i * page, in) == 0) {
			for (size_t k = 0; k < i; k++)
				resident += (in[k] & 1) != 0 ? page : 0;
		} else {
			loop_no_epoll(errno);
		}
		start += i * page;
	}
	return (resident);
}

static uint64_t
loop_stacks(void)
{
	struct pp_thread *thread;
	uint64_t resident = 0;
	unsigned int i;

	for (i = 0; i < PP_THREADS_MAX; i++) {
		thread = &pp_self.thread[i];
		if (atomic_load(&thread->state) == PP_THREAD_LIVE)
			resident +=
			    loop_resident(atomic_load(&thread->stack_start),
				atomic_load(&thread->stack_size));
	}
	return (resident);
}

static __attribute__((noinline)) void
loop_answer(uint32_t asked)
{
	struct pp_memory_facts *facts = &pp_self.slot->memory;
	struct mallinfo2 info;

	if (atomic_load(&pp_kore.arena->control.ask_trim) != 0)
		(void)malloc_trim(0);
	info = mallinfo2();
	facts->malloc_arena = info.arena;
	facts->malloc_mapped = info.hblkhd;
	facts->malloc_used = info.uordblks;
	facts->malloc_free = info.fordblks;
	facts->stacks = loop_stacks();
	facts->pools = pp_pools_read(facts->pool);
	loop_answered = asked;
	atomic_store(&facts->answered, asked);
}

void
pp_loop_start(void)
{
	loop_children_before = atomic_load(&pp_self.slot->life.children_cpu_ns);
	loop_answered = atomic_load(&pp_self.slot->memory.answered);
	atomic_store(&pp_self.slot->busy_ns, 0);
}

static int64_t
loop_ns(const struct timeval *t)
{
	return (t->tv_sec * PP_NS_PER_SEC + t->tv_usec * 1000);
}

/* The loop's thread has left epoll_wait(): if a trace has begun meanwhile, the
 * thread enters the trace here. Keeps errno. */
static __attribute__((noinline)) void
loop_trace(int count)
{
	pp_trace(PP_TRACE_POLL_OUT, count > 0 ? (uint32_t)count : 0, 0);
	pp_trace_begin_loop();
}

/* The watch of stalls costs each turn two stores and a read of the coarse
 * clock, which has a step of 4 ms or so. */
static void
loop_waits(void)
{
	if (pp_self.worker != 0)
		atomic_store_explicit(&pp_self.slot->busy_ns, 0,
		    memory_order_relaxed);
}

/* The kernel counts the CPU time of a child when somebody has waited for the
 * child, as a handler may have done. The slot keeps the sum over the worker's
 * death. */
static __attribute__((noinline)) void
loop_children(void)
{
	struct rusage used;
	int saved = errno;

	if (getrusage(RUSAGE_CHILDREN, &used) == 0)
		atomic_store(&pp_self.slot->life.children_cpu_ns,
		    loop_children_before + loop_ns(&used.ru_utime) +
			loop_ns(&used.ru_stime));
	errno = saved;
}

/* The children's time is read at most once in a step of the coarse clock. */
static void
loop_turns(void)
{
	int64_t now = pp_clock_read(CLOCK_MONOTONIC_COARSE);

	atomic_store_explicit(&pp_self.slot->busy_ns, now,
	    memory_order_relaxed);
	if (now != loop_checked)
		loop_children();
	loop_checked = now;
}

PP_HOT_PATH int
pp_loop_epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	int count, saved;
	uint32_t asked;

	/* In a single binary the application's own threads come here, too. */
	if (pp_self.worker != 0 && pp_thread_self != &pp_self.thread[0])
		return (pp_sleeps_epoll_wait(fd, events, max, timeout));
	if (worker == NULL)
		pp_relay_listen();
	if (pp_trace_active()) {
		pp_instants_turn();
		pp_trace(PP_TRACE_POLL, 0, 0);
	}
	loop_waits();
	if (pp_arrive_waiting())
		timeout = 0;
	count = pp_loop_real_epoll_wait(fd, events, max, timeout);
	saved = errno;
	if (__builtin_expect(pp_kore.entry_refused & PP_ENTRIES_INSTANTS, 0) &&
	    worker != NULL)
		pp_history_follow(events, count);
	if (pp_self.worker == 0)
		return (count);
	loop_turns();
	if (pp_trace_active())
		loop_trace(count);
	asked = atomic_load_explicit(&pp_kore.arena->control.ask,
	    memory_order_acquire);
	if (__builtin_expect(asked != loop_answered, 0))
		loop_answer(asked);
	errno = saved;
	return (count);
}
