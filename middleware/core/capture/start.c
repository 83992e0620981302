/*
 * The life of the profiler in one process: it starts in the parent and in each
 * worker; a child that is neither lets go of the slot. Cold; see self.h.
 */
#include <sys/auxv.h>
#include <sys/resource.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/alloc_sample.h"
#include "capture/custom.h"
#include "capture/own_stack.h"
#include "capture/sampler.h"
#include "capture/sampler_perf.h"
#include "capture/scan.h"
#include "capture/signal.h"
#include "capture/thread.h"
#include "capture/trace.h"
#include "capture/unwind.h"
#include "capture/wait.h"
#include "store/ring.h"

/* The kernel's tick advances timers. The resolution of the coarse clocks is the
 * length of the tick (4 ms if CONFIG_HZ is 250). */
static int64_t
kernel_jiffy_ns(void)
{
	struct timespec res;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &res) == -1 ||
	    res.tv_sec != 0 || res.tv_nsec <= 0)
		return (10 * PP_NS_PER_MS);
	return (res.tv_nsec);
}

/* The kernel puts the program's name at the top of the main thread's stack, and
 * lets the stack grow as far as the limit says. */
#define MAIN_STACK_MOST ((size_t)8 << 20)

static void
main_stack_find(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t top = ((uintptr_t)getauxval(AT_EXECFN) + page) & ~page;
	struct rlimit limit;
	size_t size = MAIN_STACK_MOST;

	if (top == 0 || getrlimit(RLIMIT_STACK, &limit) == -1)
		return;
	if (limit.rlim_cur < size)
		size = (size_t)limit.rlim_cur & ~page;
	pp_self.main_stack = top - size;
	pp_self.main_stack_size = size;
}

int
pp_self_prepare(const char **why)
{
	pp_self.jiffy_ns = kernel_jiffy_ns();
	main_stack_find();
	pp_scan_prepare();
	if (pp_signal_install() == -1) {
		*why = "SIGPROF cannot be handled: no CPU samples";
		return (-1);
	}
	return (pp_unwind_load(why));
}

static void
self_take_slot(struct pp_arena *arena, uint32_t number)
{
	struct pp_life *life = &arena->slot[number].life;

	pp_self.pid = getpid();
	pp_self.scanned = 0;
	pp_self.arena = arena;
	pp_self.slot = &arena->slot[number];
	atomic_store(&life->pid, pp_self.pid);
	atomic_store(&life->started_ns, pp_clock_wall());
	atomic_fetch_add(&life->generation, 1);
}

void
pp_self_start(struct pp_arena *arena, uint32_t number)
{
	struct pp_thread_creation main_thread;
	uint32_t used, i;

	self_take_slot(arena, number);
	pp_slot_repair(pp_self.slot);
	pp_ring_seal(&pp_self.slot->cpu);
	pp_scan_objects(NULL);
	/* Only entries that were used are written: each takes a third of a
	 * page. */
	used = atomic_load(&pp_self.slot->threads_used);
	for (i = 0; i < used && i < PP_THREADS_MAX; i++)
		atomic_store(&pp_self.slot->thread[i].tid, 0);
	pp_alloc_start();
	pp_custom_start();
	pp_self.worker = number;
	(void)pp_signal_install();
	pp_signal_enter(0);
	memset(&main_thread, 0, sizeof(main_thread));
	pp_thread_enter(&main_thread);
	(void)pp_own_stack_run(pp_unwind_root, NULL);
	pp_signal_known((uintptr_t)pthread_self());
	pp_wait_apply();
	pp_trace_apply();
}

void
pp_self_start_parent(struct pp_arena *arena)
{
	self_take_slot(arena, 0);
	pp_scan_objects(NULL);
}

void
pp_self_leave(void)
{
	unsigned int i;

	pp_self.worker = 0;
	pp_self.slot = NULL;
	pp_self.arena = NULL;
	pp_wait_apply();
	pp_trace_apply();
	pp_thread_self = NULL;
	pp_label_now = 0;
	pp_self_inflight = pp_self_request = 0;
	for (i = 0; i < PP_THREADS_MAX; i++) {
		if (atomic_load(&pp_self.thread[i].state) == PP_THREAD_FREE)
			continue;
		/* A child inherits descriptors, but no timers. */
		pp_sampler_perf_close(&pp_self.thread[i]);
		atomic_store(&pp_self.thread[i].mode, PP_CPU_OFF);
		atomic_store(&pp_self.thread[i].state, PP_THREAD_FREE);
	}
}
