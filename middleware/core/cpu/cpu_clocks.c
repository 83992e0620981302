/*
 * The edges of a window: CPU time that threads had used without a sample when
 * the window began and when it ended. Only a process can read the clocks of its
 * threads, so that each worker is asked. If a worker does not answer at once
 * (it is stopped, or its processor is busy), its edges are as blurred as a
 * period.
 *
 * Rule: a number of the arena is taken as CPU time of a thread only if it is at
 * most one period of the slowest rate.
 */
#include <sys/syscall.h>

#include <linux/futex.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cpu/cpu_private.h"
#include "merge/wake.h"

/* A worker answers in its signal handler: after some 100 us, or later if the
 * worker has to wait for a processor. */
#define POLL_NS (100 * 1000)
#define POLLS	100

/* CPU time of a worker that neither samples nor the clocks of threads explain
 * is the blur of both edges, up to the larger of these bounds. */
#define BLUR_NS	  (20 * PP_NS_PER_MS)
#define BLUR_PART 100

/* The sandbox has no call that only sleeps. */
static void
clocks_pause(void)
{
	const struct timespec time = { 0, POLL_NS };
	uint32_t word = 0;

	(void)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0);
}

static int
clocks_answered(const struct pp_cpu *cpu, uint32_t slot)
{
	const struct pp_slot *from = &cpu->arena->slot[slot];

	return (atomic_load(&from->clocks_answered) == cpu->clocks);
}

static int
clocks_all_answered(const struct pp_cpu *cpu)
{
	uint32_t slot;

	for (slot = 1; slot < cpu->slots; slot++) {
		if (atomic_load(&cpu->arena->slot[slot].life.pid) > 0 &&
		    !clocks_answered(cpu, slot))
			return (0);
	}
	return (1);
}

void
pp_cpu_clocks_ask(struct pp_cpu *cpu)
{
	unsigned int polls;

	/* 0 is left out: a worker that was never asked has it as its answer. */
	cpu->clocks = cpu->clocks == UINT32_MAX ? 1 : cpu->clocks + 1;
	atomic_store(&cpu->arena->control.clocks, cpu->clocks);
	pp_wake_all(cpu->arena, cpu->slots, cpu->parent_pid);
	for (polls = 0; polls < POLLS && !clocks_all_answered(cpu); polls++)
		clocks_pause();
}

/* Return what the thread in that entry of the slot has used without a sample,
 * in nanoseconds; 0: no thread is there. */
static uint64_t
clocks_read(const struct pp_slot *slot, uint32_t place, int32_t *tid)
{
	const struct pp_thread_facts *facts = &slot->thread[place];
	uint64_t ns = atomic_load(&facts->unsampled_ns);

	*tid = (int32_t)atomic_load(&facts->tid);
	return (*tid > 0 && ns <= PP_NS_PER_SEC / PP_HZ_MIN ? ns : 0);
}

static uint32_t
clocks_threads(const struct pp_slot *slot)
{
	uint32_t used = atomic_load(&slot->threads_used);

	return (used < PP_THREADS_MAX ? used : PP_THREADS_MAX);
}

void
pp_cpu_clocks_open(struct pp_cpu_session *session)
{
	const struct pp_cpu *cpu = session->cpu;
	const struct pp_slot *slot;
	struct pp_cpu_thread *thread;
	struct pp_cpu_key key;
	uint64_t ns;
	uint32_t i;

	memset(&key, 0, sizeof(key));
	for (key.slot = 1; key.slot < cpu->slots; key.slot++) {
		if (!clocks_answered(cpu, key.slot))
			continue;
		slot = &cpu->arena->slot[key.slot];
		key.pid = atomic_load(&slot->life.pid);
		for (i = 0; i < clocks_threads(slot); i++) {
			ns = clocks_read(slot, i, &key.tid);
			if (ns == 0)
				continue;
			thread = pp_cpu_thread_at(session, &key);
			if (thread != &session->other)
				thread->debt = ns;
		}
	}
}

/* Add what the thread has used since its last sample, without what was used
 * before this window. */
static void
close_thread(struct pp_cpu_session *session, const struct pp_cpu_key *key,
    uint64_t ns)
{
	struct pp_cpu_thread *thread = pp_cpu_thread_find(session, key);

	if (thread == NULL) {
		pp_cpu_session_miss(session, key, ns);
		return;
	}
	thread->rest += ns > thread->debt ? ns - thread->debt : 0;
	thread->debt = 0;
}

static void
close_threads(struct pp_cpu_session *session, struct pp_cpu_key *key)
{
	const struct pp_slot *slot = &session->cpu->arena->slot[key->slot];
	uint64_t ns;
	uint32_t i;

	for (i = 0; i < clocks_threads(slot); i++) {
		ns = clocks_read(slot, i, &key->tid);
		if (ns != 0)
			close_thread(session, key, ns);
	}
}

/* Make a line of the CPU time that thinning has left to each thread, also to a
 * thread that has died with its process. */
static void
close_rests(struct pp_cpu_session *session)
{
	struct pp_cpu_thread *thread;
	struct pp_cpu_key key;
	uint32_t i;

	memset(&key, 0, sizeof(key));
	for (i = 0; i < session->thread_room; i++) {
		thread = &session->thread[i];
		if (!thread->used)
			continue;
		key.slot = thread->slot;
		key.pid = thread->pid;
		key.tid = thread->tid;
		pp_cpu_session_miss(session, &key, thread->rest);
		thread->rest = 0;
	}
}

/* Make a line of the CPU time that no thread explains: a thread is not known,
 * or has ended in a way that nobody saw. */
static void
close_worker(struct pp_cpu_session *session, struct pp_cpu_key *key)
{
	const struct pp_cpu_then *then = &session->then[key->slot];
	int64_t missing = then->cpu_ns - (int64_t)then->sampled_ns;

	key->tid = key->pid;
	if (missing > BLUR_NS && missing > then->cpu_ns / BLUR_PART)
		pp_cpu_session_miss(session, key, (uint64_t)missing);
}

void
pp_cpu_clocks_close(struct pp_cpu_session *session)
{
	const struct pp_cpu *cpu = session->cpu;
	struct pp_cpu_key key;

	memset(&key, 0, sizeof(key));
	for (key.slot = 1; key.slot < cpu->slots; key.slot++) {
		key.pid = atomic_load(&cpu->arena->slot[key.slot].life.pid);
		if (clocks_answered(cpu, key.slot))
			close_threads(session, &key);
	}
	close_rests(session);
	for (key.slot = 1; key.slot < cpu->slots; key.slot++) {
		key.pid = atomic_load(&cpu->arena->slot[key.slot].life.pid);
		close_worker(session, &key);
	}
}
