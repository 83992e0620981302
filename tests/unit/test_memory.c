/*
 * Tests of counts/memory.c and proc.c: questions to workers, their answers,
 * true or not, and what the kernel says.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "counts/memory.h"
#include "store/arena.h"

#define SLOTS 4

static const char rollup[] =
    "00400000-7ffd90f44000 ---p 00000000 00:00 0                  [rollup]\n"
    "Rss:                1736 kB\n"
    "Pss:                 206 kB\n"
    "Pss_Dirty:           112 kB\n"
    "Shared_Clean:       1584 kB\n"
    "Shared_Dirty:          4 kB\n"
    "Private_Clean:        40 kB\n"
    "Private_Dirty:       108 kB\n"
    "Locked:                0 kB\n";

static struct pp_arena *arena;
static int arena_fd;
static struct pp_memory *memory;

static int
setup(void **state)
{
	(void)state;
	arena = pp_arena_create(SLOTS - 1, &arena_fd);
	assert_non_null(arena);
	arena->control.ask_trim = 1; /* as a dead collector may leave it */
	memory = pp_memory_new(arena, SLOTS);
	return (memory == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	(void)state;
	pp_memory_free(memory);
	pp_arena_detach(arena, arena->size);
	close(arena_fd);
	return (0);
}

static void
a_rollup_is_read_in_bytes(void **state)
{
	struct pp_proc_memory m;

	(void)state;
	assert_int_equal(pp_proc_parse(rollup, sizeof(rollup) - 1, &m), 0);
	assert_int_equal(m.rss, 1736 * 1024);
	assert_int_equal(m.pss, 206 * 1024);
	assert_int_equal(m.private_clean, 40 * 1024);
	assert_int_equal(m.private_dirty, 108 * 1024);
	assert_int_equal(m.shared_clean, 1584 * 1024);
	assert_int_equal(m.shared_dirty, 4 * 1024);
}

static void
what_is_no_whole_rollup_is_refused(void **state)
{
	static const char *const bad[] = { "", "\n\n\n", "Rss:", "Rss: 1 kB",
		"Rss: x kB\n", "Name:	kore\nPid:	1\n" };
	char text[sizeof(rollup)];
	struct pp_proc_memory m;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pp_proc_parse(bad[i], strlen(bad[i]), &m), -1);
	/* Cut anywhere before the end of the last line that is needed. */
	for (len = 0; rollup + len < strstr(rollup, "\nLocked"); len++)
		assert_int_equal(pp_proc_parse(rollup, len, &m), -1);
	memcpy(text, rollup, sizeof(text));
	memcpy(strstr(text, "1736 kB"), "1736 MB", 7);
	assert_int_equal(pp_proc_parse(text, sizeof(text) - 1, &m), -1);
	memcpy(text, rollup, sizeof(text));
	memset(strstr(text, "Rss:") + 4, '9', 20);
	assert_int_equal(pp_proc_parse(text, sizeof(text) - 1, &m), -1);
}

static void
the_kernels_own_rollup_is_read_and_follows_the_process(void **state)
{
	int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	struct pp_proc_memory before, after;
	size_t size = 8 << 20;
	char *more;

	(void)state;
	assert_int_equal(pp_proc_read(fd, &before), 0);
	assert_true(before.rss > 0 && before.pss <= before.rss);
	more = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(more != MAP_FAILED);
	memset(more, 1, size);
	assert_int_equal(pp_proc_read(fd, &after), 0);
	assert_true(after.private_dirty >= before.private_dirty + size);
	munmap(more, size);
	close(fd);
	assert_int_equal(pp_proc_read(fd, &after), -1);
}

static void
each_question_has_a_number_and_a_signal(void **state)
{
	uint32_t question;
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(arena->control.ask_trim, 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		pause(); /* SIGPROF ends who does not handle it */
		_exit(0);
	}
	arena->slot[1].life.pid = child;
	/* Somebody's lies: neither init nor a group nor ourselves. */
	arena->slot[2].life.pid = 1;
	arena->slot[3].life.pid = -1;
	question = pp_memory_ask(memory, 0);
	assert_int_equal(arena->control.ask, question);
	assert_int_equal(arena->control.ask_trim, 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF);
	assert_int_equal(pp_memory_answered(memory, question), 0);
	arena->slot[1].memory.answered = question;
	assert_int_equal(pp_memory_answered(memory, question), 0);
	arena->slot[2].memory.answered = question + 1; /* a later one */
	assert_int_equal(pp_memory_answered(memory, question), 1);
	pp_memory_end(memory, 0);
	arena->slot[1].life.pid = 0; /* it has died: nobody waits for it */
	arena->slot[1].memory.answered = 0;
	assert_int_equal(pp_memory_answered(memory, question), 1);
	arena->slot[2].life.pid = arena->slot[3].life.pid = 0;
}

static volatile sig_atomic_t signals;

static void
count_signal(int signo)
{
	(void)signo;
	signals++;
}

/* The parent of this arena is this process, which is never signalled: a child
 * counts, and tells by its status. */
static void
only_who_has_not_answered_is_reminded(void **state)
{
	uint32_t question;
	int status, ready[2], i;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	if ((child = fork()) == 0) {
		signal(SIGPROF, count_signal);
		assert_int_equal(write(ready[1], "x", 1), 1);
		for (i = 0; i < 30; i++)
			usleep(10000); /* a signal ends each */
		_exit((int)signals);
	}
	assert_true(child > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	question = pp_memory_ask(memory, 0);
	arena->slot[1].life.pid = child;
	arena->slot[1].memory.answered = question;
	pp_memory_remind(memory, question);
	arena->slot[1].memory.answered = question - 1;
	pp_memory_remind(memory, question);
	pp_memory_end(memory, 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	arena->slot[1].life.pid = 0;
	close(ready[0]);
	close(ready[1]);
}

static void
trimming_ends_with_the_last_who_wants_it(void **state)
{
	(void)state;
	pp_memory_ask(memory, 1);
	pp_memory_ask(memory, 0);
	pp_memory_ask(memory, 1);
	assert_int_equal(arena->control.ask_trim, 1);
	pp_memory_end(memory, 0);
	pp_memory_end(memory, 1);
	assert_int_equal(arena->control.ask_trim, 1);
	pp_memory_end(memory, 1);
	assert_int_equal(arena->control.ask_trim, 0);
}

static void
facts_that_lie_are_bounded(void **state)
{
	struct pp_memory_facts *facts = &arena->slot[1].memory;
	struct pp_memory_worker w;
	uint32_t question, i;

	(void)state;
	arena->slot[1].life.pid = getpid();
	question = pp_memory_ask(memory, 0);
	memset(facts, 0xff, sizeof(*facts));
	memcpy(facts->pool[1].name, "a\nb = c", 8);
	facts->pool[2] =
	    (struct pp_pool_facts){ "ok", 1ULL << 40, 1ULL << 40, 1ULL << 50 };
	facts->answered = question;
	pp_memory_read(memory, 1, question, &w);
	assert_int_equal(w.answered, 1);
	assert_int_equal(w.has_kernel, 0);
	assert_int_equal(w.facts.pools, PP_POOLS_MAX);
	assert_int_equal(strlen(w.facts.pool[0].name), PP_POOL_NAME_MAX - 1);
	assert_string_equal(w.facts.pool[1].name, "a_b___c");
	assert_true(w.facts.malloc_used == 1ULL << 60);
	for (i = 0; i < PP_POOLS_MAX; i++) {
		assert_true(w.facts.pool[i].used <= w.facts.pool[i].total);
		assert_true((unsigned __int128)w.facts.pool[i].element *
			w.facts.pool[i].total <=
		    1ULL << 60);
	}
	pp_memory_end(memory, 0);
	/* To an older question: not of now. */
	facts->answered = question - 1;
	pp_memory_read(memory, 1, question, &w);
	assert_int_equal(w.answered, 0);
	assert_int_equal(w.facts.pools, 0);
	arena->slot[1].life.pid = 0;
	pp_memory_read(memory, 1, question, &w);
	assert_int_equal(w.pid, 0);
}

static void
a_descriptor_counts_for_its_own_process_only(void **state)
{
	struct pp_memory_worker w;
	int fd[2], i;

	(void)state;
	for (i = 0; i < 2; i++)
		fd[i] = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	arena->slot[2].life.pid = getpid();
	pp_memory_take_proc(memory, 2, getpid(), fd[0]);
	pp_memory_read(memory, 2, 0, &w);
	assert_int_equal(w.has_kernel, 1);
	assert_true(w.kernel.rss > 0);
	arena->slot[2].life.pid = getpid() + 1; /* its successor */
	pp_memory_read(memory, 2, 0, &w);
	assert_int_equal(w.has_kernel, 0);
	pp_memory_take_proc(memory, 2, getpid() + 1, fd[1]);
	assert_int_equal(fcntl(fd[0], F_GETFD), -1);
	pp_memory_read(memory, 2, 0, &w);
	assert_int_equal(w.has_kernel, 1);
	fd[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pp_memory_take_proc(memory, SLOTS, 1, fd[0]);
	assert_int_equal(fcntl(fd[0], F_GETFD), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rollup_is_read_in_bytes),
		cmocka_unit_test(what_is_no_whole_rollup_is_refused),
		cmocka_unit_test(
		    the_kernels_own_rollup_is_read_and_follows_the_process),
		cmocka_unit_test(each_question_has_a_number_and_a_signal),
		cmocka_unit_test(only_who_has_not_answered_is_reminded),
		cmocka_unit_test(trimming_ends_with_the_last_who_wants_it),
		cmocka_unit_test(facts_that_lie_are_bounded),
		cmocka_unit_test(a_descriptor_counts_for_its_own_process_only),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
