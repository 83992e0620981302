/*
 * Another process writes over the arena while the service answers from it, all
 * the time and without waiting: what was checked may be something else when it
 * is used. Every endpoint answers, in time.
 *
 * The same lies at rest, and more of them, are tests/fuzz/fuzz_arena.c's.
 *
 * Rule: nobody is signalled, whatever pid the arena says.
 *
 * needs: a core, 5 s
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../fuzz/fuzz_service.h"
#include "base/random.h"

#define SECONDS	 4
#define PENDING	 8
#define FLICKERS 20000
#define LATE_NS	 (20 * PP_NS_PER_SEC) /* of an answer: it hangs */

static volatile uint64_t *written; /* by the other process */

/* Here the clock is the real one. */
int
__real_clock_gettime(clockid_t clock, struct timespec *out)
{
	return (clock_gettime(clock, out));
}

int
kill(pid_t pid, int number)
{
	return (__wrap_kill(pid, number));
}

/* A number that means something somewhere: an index, a length, an id. */
static uint64_t
lie(uint64_t *random)
{
	uint64_t any = pp_random(random);

	switch (any % 6) {
	case 0:
		return (0);
	case 1:
		return (UINT64_MAX);
	case 2:
		return (any >> 32 & 0xff);
	case 3:
		return (1ULL << (any >> 8 & 63));
	case 4:
		return (any >> 32);
	default:
		return (any);
	}
}

static void
scribble(uint64_t *random)
{
	size_t part = pp_random(random) % FUZZ_PARTS, size, at, room, i;
	uint32_t slot = (uint32_t)(pp_random(random) % 4);
	volatile uint64_t *word;

	/* 3: the control words. The head is each process's own. */
	size = slot == 3 ? offsetof(struct pp_arena, slot) - PP_ARENA_HEAD
			 : fuzz_parts[part].size;
	at = slot == 3 ? PP_ARENA_HEAD
		       : offsetof(struct pp_arena, slot) +
		slot * sizeof(struct pp_slot) + fuzz_parts[part].at;
	word = (volatile uint64_t *)(void *)((char *)fuzz_arena + at);
	/* Heads of tables are at their beginning. */
	room = pp_random(random) & 1 && size > 512 ? 512 : size;
	for (i = 0; i < 16; i++)
		word[pp_random(random) % (room < 8 ? 1 : room / 8)] =
		    lie(random);
	/* Back to what it was, or nobody gets beyond the first check. */
	if (pp_random(random) % 2 == 0 && size <= 1U << 20)
		memcpy((char *)fuzz_arena + at, (char *)fuzz_clean + at, size);
}

/* Words that mean something: what is not 0 in an arena as it should be. */
static size_t meant[4096], meants;

static void
find_meant(void)
{
	const uint64_t *word = (const void *)fuzz_clean;
	size_t i;

	for (i = PP_ARENA_HEAD / 8; i < fuzz_size / 8 && meants < 4096; i++) {
		if (word[i] != 0)
			meant[meants++] = i;
	}
}

/* One word is what it was, and a lie, and what it was, many times: between a
 * check and a use there is little time. */
static void
flicker(uint64_t *random)
{
	size_t at = meant[pp_random(random) % meants];
	volatile uint64_t *word = (volatile uint64_t *)(void *)fuzz_arena + at;
	uint64_t good = ((const uint64_t *)(const void *)fuzz_clean)[at];
	uint64_t bad = lie(random);
	int i;

	for (i = 0; i < FLICKERS; i++) {
		*word = bad;
		*word = good;
	}
}

static void
write_until(int64_t end)
{
	uint64_t random = 8;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	find_meant();
	while (pp_clock_mono() < end) {
		if (pp_random(&random) % 4 == 0)
			scribble(&random);
		else
			flicker(&random);
		++*written;
	}
	_exit(0);
}

static struct pp_task *
begin(struct pp_service *service, uint32_t turn)
{
	static const char *const queries[] = { "", "debug=1", "debug=2",
		"seconds=1", "seconds=1&format=perfetto", "format=svg",
		"since=60", "format=json", "format=folded", "gc=1" };
	const uint32_t count = sizeof(queries) / sizeof(queries[0]);
	struct pp_request request;
	char path[96];

	memset(&request, 0, sizeof(request));
	request.prefix = "/debug/pprof";
	snprintf(path, sizeof(path), "/%s",
	    pp_endpoints[turn % pp_endpoints_count].name);
	request.path = path;
	request.query = queries[turn / pp_endpoints_count % count];
	return (pp_service_begin(service, &request));
}

/* Answer what is due; what is never due goes. */
static uint32_t
due(struct pp_task **task, int64_t now, int64_t end)
{
	uint32_t i, answered = 0;

	for (i = 0; i < PENDING; i++) {
		if (task[i] == NULL)
			continue;
		if (pp_task_deadline(task[i]) <= now) {
			fuzz_answered(task[i]);
			answered++;
		} else if (now >= end) {
			pp_task_cancel(task[i]);
		} else {
			continue;
		}
		task[i] = NULL;
	}
	return (answered);
}

static uint32_t
answer_until(struct pp_service *service, int64_t end)
{
	struct pp_task *task[PENDING] = { NULL };
	uint32_t turn = 0, answered = 0, i;
	int64_t now, before = pp_clock_mono();

	while ((now = pp_clock_mono()) < end) {
		assert_true(now - before < LATE_NS);
		before = now;
		(void)pp_service_tick(service, now);
		answered += due(task, now, end);
		for (i = 0; i < PENDING && task[i] != NULL; i++)
			;
		if (i == PENDING) {
			/* Its turn comes again. */
			pp_task_cancel(task[turn % PENDING]);
			i = turn % PENDING;
		}
		assert_non_null(task[i] = begin(service, turn++));
	}
	due(task, now, now);
	return (answered);
}

static void
every_endpoint_answers_from_an_arena_that_changes(void **state)
{
	struct pp_service *service;
	uint32_t answered;
	int64_t end;
	pid_t child;
	int status;

	(void)state;
	service = fuzz_service();
	fuzz_now = 0;
	written = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(written != MAP_FAILED);
	end = pp_clock_mono() + SECONDS * PP_NS_PER_SEC;
	assert_int_not_equal(child = fork(), -1);
	if (child == 0)
		write_until(end);
	alarm(60);
	answered = answer_until(service, end);
	pp_service_free(service);
	alarm(0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	print_message("%u answers, %lu times written over\n", answered,
	    (unsigned long)*written);
	assert_true(answered >= 2 * pp_endpoints_count);
	assert_true(*written > 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_endpoint_answers_from_an_arena_that_changes),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
