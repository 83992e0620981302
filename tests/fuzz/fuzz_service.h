/*
 * A service over an arena in which two workers have written what workers
 * write, for the targets that then lie to it. Each input finds it as new.
 *
 * The clock is ours, so that a profile of a day takes no time, and nobody is
 * signalled, whatever pid the arena says.
 */
#ifndef FUZZ_SERVICE_H
#define FUZZ_SERVICE_H

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fuzz.h"
#include "service/endpoints.h"
#include "service/service.h"
#include "store/heap.h"
#include "store/intern.h"
#include "store/objects.h"
#include "store/ring.h"
#include "store/routes.h"
#include "store/trace.h"
#include "store/waits.h"

#define FUZZ_CODE  0x555555555000ULL
#define FUZZ_START (1000 * PP_NS_PER_SEC)

int __wrap_kill(pid_t pid, int number);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __real_clock_gettime(clockid_t clock, struct timespec *out);

static int64_t fuzz_now = FUZZ_START;
static struct pp_arena *fuzz_arena, *fuzz_clean;
static struct pp_symbols *fuzz_symbols;
static size_t fuzz_size;
static int fuzz_fd;

int
__wrap_kill(pid_t pid, int number)
{
	(void)pid;
	(void)number;
	return (0);
}

/* libFuzzer asks here for its own time, too, and must get the real one. */
int
__wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	if (fuzz_now == 0 || clock != CLOCK_MONOTONIC)
		return (__real_clock_gettime(clock, out));
	out->tv_sec = fuzz_now / PP_NS_PER_SEC;
	out->tv_nsec = fuzz_now % PP_NS_PER_SEC;
	return (0);
}

static inline void
fuzz_objects(struct pp_slot *slot)
{
	struct pp_object object;
	int fresh;

	memset(&object, 0, sizeof(object));
	memcpy(object.name, "/usr/bin/kore", 13);
	object.name_len = 13;
	object.bias = FUZZ_CODE - 0x1000;
	object.start = FUZZ_CODE;
	object.limit = FUZZ_CODE + 0x100000;
	object.build_id_len = 20;
	pp_objects_add(&slot->objects, &object, &fresh);
}

static inline void
fuzz_trace(struct pp_slot *slot, uint32_t label, uint32_t stack)
{
	const uint64_t at = (uint64_t)FUZZ_START, id = 7;
	const uint64_t begin[] = { pp_trace_head(PP_TRACE_BEGIN, 4, 0, 0), at,
		501ULL << 32 | 501, 0 };
	const uint64_t run[] = { pp_trace_head(PP_TRACE_RUN, 3, 0, label),
		at + 1000, id };
	const uint64_t call[] = { pp_trace_head(PP_TRACE_CALL, 2, 1, 0),
		at + 2000 };
	const uint64_t end[] = { pp_trace_head(PP_TRACE_CALL_END, 3, 1, 0),
		at + 3000, stack };
	const uint64_t sleep[] = { pp_trace_head(PP_TRACE_SLEEP, 4, 1, 0),
		at + 4000, id, stack };
	const uint64_t ran[] = { pp_trace_head(PP_TRACE_RAN, 3, 0, 0),
		at + 5000, id };
	const uint64_t *const record[] = { begin, run, call, end, sleep, ran };
	size_t i;

	for (i = 0; i < sizeof(record) / sizeof(record[0]); i++)
		fuzz_must(pp_record_put(slot, 0, record[i]) == 0);
}

static inline void
fuzz_activity(struct pp_slot *slot, uint32_t label, uint32_t stack)
{
	struct pp_inflight *inflight = &slot->inflights.inflight[0];

	slot->inflights.used = 1;
	inflight->id = 7;
	inflight->state = 1;
	inflight->label = label;
	inflight->stack = stack;
	inflight->started_ns = inflight->since_ns = FUZZ_START;
	memcpy(inflight->path, "/burn", 5);
	slot->threads_used = 1;
	slot->thread[0].tid = 501;
	slot->thread[0].frames = 2;
	slot->thread[0].pc[0] = FUZZ_CODE + 0x40;
	slot->thread[0].pc[1] = FUZZ_CODE + 0x80;
	pp_route_add(&pp_routes_at(&slot->routes, label)->begun, 1);
	memcpy(slot->custom.name[0], "db.connections", 14);
	slot->custom.used = 1;
}

static inline void
fuzz_write_slot(struct pp_slot *slot)
{
	static const uint64_t text[] = { 0x75722e7074746800ULL, 0x742f0078 };
	uint64_t stack[] = { 1, FUZZ_CODE + 0x10, FUZZ_CODE + 0x20 };
	uint64_t record[PP_CPU_WORD_FRAMES + 2] = { (uint64_t)FUZZ_START,
		501ULL << 32 | 501, 10 * PP_NS_PER_MS };
	struct pp_intern_table labels = pp_intern_labels(&slot->labels);
	struct pp_intern_table stacks = pp_intern_stacks(&slot->stacks);
	struct pp_counters heap = pp_counters_heap(&slot->heap);
	struct pp_counters block = pp_counters_waits(&slot->block);
	struct pp_counters custom = pp_counters_waits(&slot->custom.counters);
	struct pp_heap_key key = { 0 };
	uint32_t label, at;

	fuzz_objects(slot);
	slot->life.pid = 501;
	slot->life.generation = 1;
	label = pp_intern_put(&labels, text, 2);
	at = pp_intern_put(&stacks, stack, 3);
	fuzz_must(label != 0 && at != 0);
	slot->heap.rate[0] = PP_HEAP_RATE_DEFAULT;
	key.stack = at;
	key.label = label;
	pp_counters_at(&heap, pp_heap_pack(key))->value[0] = 5;
	pp_counters_at(&block, pp_wait_pack((enum pp_wait)1, label, at))
	    ->value[1] = 500;
	pp_counters_at(&custom, pp_wait_pack((enum pp_wait)0, label, at))
	    ->value[0] = 3;
	record[PP_CPU_WORD_LABEL] = label;
	record[PP_CPU_WORD_FRAMES] = FUZZ_CODE + 0x30;
	record[PP_CPU_WORD_FRAMES + 1] = FUZZ_CODE + 0x50;
	fuzz_must(pp_ring_put(&slot->cpu, PP_RECORD_CPU, record,
		      PP_CPU_WORD_FRAMES + 2) == 0);
	fuzz_activity(slot, label, at);
	fuzz_trace(slot, label, at);
}

/* Once a process: what every input begins with. */
static inline void
fuzz_prepare(void)
{
	uint32_t slot;

	if (fuzz_arena != NULL)
		return;
	fuzz_arena = pp_arena_create(2, &fuzz_fd);
	fuzz_symbols = pp_symbols_new();
	fuzz_must(fuzz_arena != NULL && fuzz_symbols != NULL);
	fuzz_size = fuzz_arena->size;
	fuzz_arena->parent_pid = 500;
	memcpy(fuzz_arena->cmdline, "kore\0-c", 7);
	fuzz_arena->cmdline_len = 7;
	for (slot = 0; slot < 3; slot++)
		fuzz_write_slot(&fuzz_arena->slot[slot]);
	fuzz_must((fuzz_clean = malloc(fuzz_size)) != NULL);
	memcpy(fuzz_clean, fuzz_arena, fuzz_size);
}

static inline void
fuzz_no_line(const char *line)
{
	fuzz_must(strchr(line, '\n') == NULL);
}

static inline struct pp_service *
fuzz_service(void)
{
	struct pp_service *service;

	fuzz_prepare();
	memcpy(fuzz_arena, fuzz_clean, fuzz_size);
	fuzz_now = FUZZ_START;
	service = pp_service_new(fuzz_arena, fuzz_fd, fuzz_symbols);
	fuzz_must(service != NULL);
	pp_service_log(service, fuzz_no_line);
	return (service);
}

/* What a slot is made of. */
static const struct {
	size_t at, size;
} fuzz_parts[] = {
#define PART(name)                                                             \
	{                                                                      \
		offsetof(struct pp_slot, name),                                \
		    sizeof(((struct pp_slot *)0)->name)                        \
	}
	PART(life),
	PART(loss),
	PART(objects),
	PART(labels),
	PART(stacks),
	PART(heap),
	PART(memory),
	PART(block),
	PART(mutex),
	PART(custom),
	PART(inflights),
	PART(routes),
	PART(threads_used),
	PART(thread),
	PART(cpu),
	PART(trace),
	PART(trace_loop),
	PART(trace_thread),
	{ 0, sizeof(struct pp_slot) },
};
#define FUZZ_PARTS (sizeof(fuzz_parts) / sizeof(fuzz_parts[0]))

/* An answer is an answer: a status, header lines, a body that is there. */
static inline void
fuzz_answered(struct pp_task *task)
{
	struct pp_answer answer;
	unsigned char *c;
	size_t i;

	memset(&answer, 0, sizeof(answer));
	pp_task_finish(task, &answer);
	fuzz_must(answer.status >= 200 && answer.status < 600);
	c = (unsigned char *)answer.headers.data;
	for (i = 0; i < answer.headers.len; i++)
		fuzz_must(c[i] == '\n' || (c[i] >= ' ' && c[i] != 0x7f));
	fuzz_must(answer.body.len < 256U << 20);
	pp_answer_free(&answer);
}

#endif
