/*
 * Tests of live/activity*.c and encode/text/text_activity.c: requests, tasks
 * and threads as the arena has them come out once each, in the right state, and
 * whatever a worker writes there does no harm. The dump is read by panicparse,
 * a parser of Go's dumps (Debian's package of that name), and by the pattern of
 * another.
 */
#include <ctype.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "counts_fixture.h"
#include "encode/text/text_activity.h"
#include "encode/text/text_count.h"
#include "go_pprof.h"
#include "live/activity.h"
#include "profile/delta.h"

#define PID  100
#define SEC  PP_NS_PER_SEC
#define LIBC (LIBC_START + 0x1000)

/* Names by address, as the collector's symbols would give them. */
static const char *names[0x100];

static const char *
name_of(void *arg, uint64_t address)
{
	(void)arg;
	if (address < EXE_START)
		return (NULL);
	return (names[(address >> 4) % 0x100]);
}

static struct counts
prepare(void)
{
	struct counts c = counts_new();

	c.f.arena->slot[1].life.pid = PID;
	c.f.arena->slot[2].life.pid = 0;
	memset(names, 0, sizeof(names));
	return (c);
}

/* A thread that has answered question 1, with the stack. */
static struct pp_thread_facts *
thread(struct counts *c, uint32_t place, uint32_t tid, const uint64_t *pc,
    uint32_t pcs)
{
	struct pp_thread_facts *facts = &c->f.arena->slot[1].thread[place];
	uint32_t i;

	facts->tid = tid;
	facts->started_ns = pp_clock_mono() - 10 * SEC;
	facts->frames = pcs;
	for (i = 0; i < pcs; i++)
		facts->pc[i] = pc[i];
	facts->dumped = 1;
	return (facts);
}

/* The same, two frames in the program and one in libc at the leaf. */
static struct pp_thread_facts *
thread_in(struct counts *c, uint32_t place, uint32_t tid, const char *leaf)
{
	uint64_t pc[3] = { LIBC + 0x10 * place, EXE_START + 0x9000,
		EXE_START + 0x9100 };

	names[(pc[0] >> 4) % 0x100] = leaf;
	return (thread(c, place, tid, pc, 3));
}

static struct pp_inflight *
inflight(struct counts *c, uint32_t entry, uint64_t id, enum pp_wait state,
    uint64_t at)
{
	struct pp_inflights *table = &c->f.arena->slot[1].inflights;
	struct pp_inflight *inflight = &table->inflight[entry];

	if (table->used <= entry)
		table->used = entry + 1;
	inflight->id = id;
	inflight->state = state;
	inflight->stack = at == 0 ? 0 : counts_here(c, 1, at);
	inflight->started_ns = pp_clock_mono() - 200 * SEC;
	inflight->since_ns = pp_clock_mono() - 100 * SEC;
	strcpy(inflight->path, "/page");
	return (inflight);
}

static struct pp_activity_list
read_list(struct counts *c)
{
	struct pp_activity_list list;

	assert_int_equal(pp_activity_read(&list, c->resolver, 1, name_of, NULL),
	    0);
	return (list);
}

static const struct pp_activity_item *
item_of(const struct pp_activity_list *list, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < list->items; i++) {
		if (list->item[i].id == id)
			return (&list->item[i]);
	}
	fail_msg("nothing with id %llu", (unsigned long long)id);
	return (NULL);
}

static struct pp_profile *
profile_of(struct counts *c)
{
	struct pp_activity_list list = read_list(c);
	struct pp_profile *p = pp_activity_profile(&list);

	assert_non_null(p);
	pp_activity_free(&list);
	return (p);
}

static void
requests_asleep_show_where_they_went_to_sleep_and_why(void **state)
{
	struct counts c = prepare();
	uint32_t label =
	    fixture_label(&c.f, 1, "http.route\0/pay\0http.method\0GET", 32);
	struct pp_profile *p;
	uint32_t i;

	(void)state;
	for (i = 1; i <= 7; i++)
		inflight(&c, i, 3 * i + 1, PP_WAIT_PGSQL, 0x100)->label = label;
	inflight(&c, 8, 100, PP_WAIT_SLEEP, 0x100)->label = label;
	p = profile_of(&c);
	assert_string_equal(p->value_type[0].type, "goroutine");
	assert_string_equal(p->value_type[0].unit, "count");
	assert_string_equal(p->period_type.type, "goroutine");
	assert_int_equal(p->value_types, 1);
	assert_int_equal(p->samples, 2);
	assert_int_equal(p->sample[0].value[0], 7);
	assert_int_equal(counts_leaf(p, 0), EXE_START + 0x100 - 1);
	assert_string_equal(counts_label(p, 0, "state"), "pgsql wait");
	assert_string_equal(counts_label(p, 0, "http.route"), "/pay");
	assert_string_equal(counts_label(p, 0, "http.method"), "GET");
	assert_string_equal(counts_label(p, 0, "worker"), "1");
	assert_string_equal(counts_label(p, 0, "thread"), "");
	assert_string_equal(counts_label(p, 1, "state"), "sleeping");
	pp_profile_free(p);
	counts_free(&c);
}

/* A leak of requests that sleep for ever is a sample that grows. */
static void
a_delta_shows_what_came_and_what_went(void **state)
{
	struct counts c = prepare();
	struct pp_profile *before, *after, *delta;
	uint32_t i;

	(void)state;
	inflight(&c, 1, 4, PP_WAIT_SLEEP, 0x100);
	inflight(&c, 2, 7, PP_WAIT_TASK, 0x200);
	before = profile_of(&c);
	for (i = 3; i < 13; i++)
		inflight(&c, i, 3 * i + 1, PP_WAIT_SLEEP, 0x100);
	c.f.arena->slot[1].inflights.inflight[2].id = 0;
	after = profile_of(&c);
	delta = pp_delta(before, after, SEC);
	assert_non_null(delta);
	assert_int_equal(delta->samples, 2);
	assert_int_equal(delta->sample[0].value[0], 10);
	assert_int_equal(delta->sample[1].value[0], -1);
	pp_profile_free(before);
	pp_profile_free(after);
	pp_profile_free(delta);
	counts_free(&c);
}

/* Once, with the thread's stack and the labels that the application added. */
static void
the_request_that_runs_takes_the_place_of_its_thread(void **state)
{
	struct counts c = prepare();
	uint32_t label = fixture_label(&c.f, 1, "http.route\0/a\0", 14);
	struct pp_thread_facts *loop;
	struct pp_activity_list list;
	const struct pp_activity_item *item;

	(void)state;
	inflight(&c, 0, 4, PP_WAIT_NONE, 0);
	loop = thread_in(&c, 0, PID, "read");
	loop->label = label;
	loop->inflight = 4;
	list = read_list(&c);
	assert_int_equal(list.items, 1);
	item = item_of(&list, 4);
	assert_int_equal(item->kind, PP_ACTIVITY_REQUEST);
	assert_int_equal(item->tid, PID);
	assert_string_equal(item->state, "syscall");
	assert_string_equal(pp_activity_labels(&list, item->label),
	    "http.route");
	pp_activity_free(&list);
	/* Stuck, with signals blocked: the worker's table tells. */
	loop->dumped = 0;
	loop->inflight = 0;
	c.f.arena->slot[1].inflights.running = 4;
	list = read_list(&c);
	assert_int_equal(list.items, 1);
	assert_int_equal(item_of(&list, 4)->tid, PID);
	assert_string_equal(item_of(&list, 4)->state, "not answering");
	pp_activity_free(&list);
	counts_free(&c);
}

static void
a_request_that_began_after_the_thread_had_answered_is_not_shown(void **state)
{
	struct counts c = prepare();
	struct pp_activity_list list;

	(void)state;
	inflight(&c, 0, 4, PP_WAIT_NONE, 0);
	c.f.arena->slot[1].inflights.running = 4;
	thread_in(&c, 0, PID, "epoll_wait");
	list = read_list(&c);
	assert_int_equal(list.items, 1);
	assert_int_equal(list.item[0].kind, PP_ACTIVITY_THREAD);
	assert_string_equal(list.item[0].state, "epoll wait");
	assert_int_equal(list.changed, 1);
	pp_activity_free(&list);
	counts_free(&c);
}

/* Two are awake again: the thread knows which of them it was in. */
static void
of_requests_that_were_woken_one_runs_and_the_others_could(void **state)
{
	struct counts c = prepare();
	struct pp_thread_facts *loop;
	struct pp_activity_list list;

	(void)state;
	inflight(&c, 1, 4, PP_WAIT_NONE, 0x100);
	inflight(&c, 2, 7, PP_WAIT_NONE, 0x200);
	inflight(&c, 3, 10, PP_WAIT_SLEEP, 0x300)->since_ns =
	    pp_clock_mono() - SEC / 2;
	loop = thread_in(&c, 0, PID, "malloc");
	loop->label = fixture_label(&c.f, 1, "http.route\0/a\0", 14);
	loop->inflight = 7;
	list = read_list(&c);
	assert_int_equal(list.items, 3);
	assert_string_equal(item_of(&list, 4)->state, "runnable");
	assert_int_equal(item_of(&list, 4)->tid, 0);
	assert_string_equal(item_of(&list, 7)->state, "running");
	assert_int_equal(item_of(&list, 7)->tid, PID);
	assert_string_equal(item_of(&list, 10)->state, "sleeping");
	pp_activity_free(&list);
	/* It has gone to sleep since: it is not the thread's any more. */
	loop->inflight = 10;
	list = read_list(&c);
	assert_int_equal(list.items, 4);
	assert_string_equal(item_of(&list, 10)->state, "sleeping");
	assert_int_equal(item_of(&list, 10)->tid, 0);
	pp_activity_free(&list);
	/* The loop is between requests: both wait for it. */
	loop->label = 0;
	loop->inflight = 0;
	list = read_list(&c);
	assert_int_equal(list.items, 4);
	assert_string_equal(item_of(&list, 4)->state, "runnable");
	assert_string_equal(item_of(&list, 7)->state, "runnable");
	pp_activity_free(&list);
	counts_free(&c);
}

static void
a_task_takes_the_place_of_its_thread_and_waits_without_one(void **state)
{
	struct counts c = prepare();
	struct pp_activity_list list;
	struct pp_inflight *task;

	(void)state;
	task = inflight(&c, 1, 4, PP_WAIT_NONE, 0x100);
	task->task = 1;
	task->tid = PID + 1;
	inflight(&c, 2, 7, PP_WAIT_QUEUE, 0x200)->task = 1;
	thread_in(&c, 1, PID + 1, "__GI___clock_nanosleep");
	thread_in(&c, 2, PID + 2, NULL);
	list = read_list(&c);
	assert_int_equal(list.items, 3);
	assert_int_equal(item_of(&list, 4)->kind, PP_ACTIVITY_TASK);
	assert_int_equal(item_of(&list, 4)->tid, PID + 1);
	assert_string_equal(item_of(&list, 4)->state, "sleep");
	assert_string_equal(item_of(&list, 7)->state, "task queue");
	assert_int_equal(item_of(&list, 7)->tid, 0);
	pp_activity_free(&list);
	counts_free(&c);
}

static void
a_thread_that_does_not_answer_is_listed_as_that(void **state)
{
	struct counts c = prepare();
	struct pp_activity_list list;
	struct pp_profile *p;

	(void)state;
	thread_in(&c, 0, PID, "read");
	assert_int_equal(pp_activity_answered(c.resolver, 1), 1);
	assert_int_equal(pp_activity_answered(c.resolver, 2), 0);
	thread_in(&c, 1, PID + 1, "read")->dumped = 0;
	assert_int_equal(pp_activity_answered(c.resolver, 1), 0);
	/* A later answer is one, too. */
	c.f.arena->slot[1].thread[0].dumped = 2;
	list = read_list(&c);
	assert_int_equal(list.items, 2);
	assert_int_equal(list.silent, 1);
	pp_activity_free(&list);
	p = profile_of(&c);
	assert_int_equal(profile_sum_label(p, 0, "state", "not answering", 0),
	    1);
	assert_int_equal(profile_sum_label(p, 0, "thread", NULL, PID + 1), 1);
	assert_int_equal(counts_comment(p, "threads_not_answering"), 1);
	pp_profile_free(p);
	/* Who is gone does not answer, and nobody waits for it. */
	c.f.arena->slot[1].life.pid = 0;
	assert_int_equal(pp_activity_answered(c.resolver, 1), 1);
	counts_free(&c);
}

/* The number 0 means "never asked", and is left out when they go round. */
static void
questions_go_round_without_zero(void **state)
{
	struct counts c = prepare();

	(void)state;
	c.f.arena->slot[1].life.pid = 0;
	c.f.arena->control.dump = UINT32_MAX;
	assert_int_equal(pp_activity_ask(c.resolver, 0), 1);
	assert_int_equal(c.f.arena->control.dump, 1);
	thread_in(&c, 0, PID, "read")->dumped = UINT32_MAX;
	c.f.arena->slot[1].life.pid = PID;
	assert_int_equal(pp_activity_answered(c.resolver, 1), 0);
	counts_free(&c);
}

static void
states_are_told_by_the_librarys_functions(void **state)
{
	static const struct {
		const char *leaf, *caller, *state;
	} row[] = {
		{ "epoll_wait", NULL, "epoll wait" },
		{ "__GI_epoll_pwait", NULL, "epoll wait" },
		{ "__lll_lock_wait", "___pthread_mutex_lock", "mutex wait" },
		{ "__lll_lock_wait_private", "malloc", "mutex wait" },
		{ NULL, "pthread_mutex_lock", "mutex wait" },
		{ "___pthread_mutex_lock", NULL, "running" },
		{ "__futex_abstimed_wait_common",
		    "pthread_cond_wait@@GLIBC_2.3.2", "cond wait" },
		{ NULL, "__pthread_cond_timedwait", "cond wait" },
		{ NULL, "___pthread_cond_timedwait64", "cond wait" },
		{ NULL, "___pthread_rwlock_timedwrlock64", "rwlock wait" },
		{ NULL, "__pthread_mutex_clocklock_common", "mutex wait" },
		{ NULL, "pthread_rwlock_wrlock", "rwlock wait" },
		{ NULL, "__pthread_barrier_wait", "barrier wait" },
		{ NULL, "__pthread_clockjoin_ex", "join wait" },
		{ NULL, "__new_sem_wait_slow64", "semaphore wait" },
		{ "clock_nanosleep", "usleep", "sleep" },
		{ "__libc_read", NULL, "syscall" },
		{ "__libc_recvmsg", NULL, "syscall" },
		{ "read_nocancel", NULL, "syscall" },
		{ "__poll", NULL, "syscall" },
		{ "readdir", NULL, "running" },
		{ "memcpy", NULL, "running" },
		{ NULL, NULL, "running" },
	};
	struct counts c = prepare();
	uint64_t pc[3] = { LIBC, LIBC + 0x31, EXE_START + 0x9000 };
	struct pp_activity_list list;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		names[(pc[0] >> 4) % 0x100] = row[i].leaf;
		names[((pc[1] - 1) >> 4) % 0x100] = row[i].caller;
		thread(&c, 0, PID, pc, 3);
		list = read_list(&c);
		if (strcmp(list.item[0].state, row[i].state) != 0)
			fail_msg("%s called by %s: %s, not %s", row[i].leaf,
			    row[i].caller, list.item[0].state, row[i].state);
		pp_activity_free(&list);
	}
	counts_free(&c);
}

/* What has the library's name but is the application's does not wait. */
static void
only_functions_in_the_leafs_file_tell_the_state(void **state)
{
	struct counts c = prepare();
	uint64_t pc[2] = { LIBC, EXE_START + 0x31 };
	struct pp_activity_list list;

	(void)state;
	names[(EXE_START + 0x30) >> 4 & 0xff] = "read";
	thread(&c, 0, PID, pc, 2);
	list = read_list(&c);
	assert_string_equal(list.item[0].state, "running");
	pp_activity_free(&list);
	/* Ours around a wait of the library is known. */
	names[(EXE_START + 0x30) >> 4 & 0xff] = "pprof_hook_sem_wait";
	list = read_list(&c);
	assert_string_equal(list.item[0].state, "semaphore wait");
	pp_activity_free(&list);
	/* Also where the library's leaf itself asks the kernel. */
	names[pc[0] >> 4 & 0xff] = "pthread_barrier_wait";
	names[(EXE_START + 0x30) >> 4 & 0xff] = "pprof_hook_barrier_wait";
	list = read_list(&c);
	assert_string_equal(list.item[0].state, "barrier wait");
	pp_activity_free(&list);
	counts_free(&c);
}

static void
ids_of_threads_are_nobody_elses(void **state)
{
	struct counts c = prepare();
	struct pp_activity_list list;

	(void)state;
	inflight(&c, 1, 3 * 7 + 1, PP_WAIT_SLEEP, 0x100);
	thread_in(&c, 0, PID, "read");
	thread_in(&c, 1, PID + 1, "read");
	list = read_list(&c);
	assert_int_equal(list.items, 3);
	assert_int_equal(list.item[1].id % 3, 0);
	assert_int_equal(list.item[2].id % 3, 0);
	assert_true(list.item[1].id != list.item[2].id);
	pp_activity_free(&list);
	counts_free(&c);
}

/* The text without what differs from run to run: ids of threads, ages. */
static struct pp_buf
dump_of(struct counts *c)
{
	struct pp_activity_list list = read_list(c);
	struct pp_profile *p = pp_activity_stacks(&list);
	struct pp_buf out = { 0 };

	assert_non_null(p);
	pp_encode_text_activity(&list, p, &out);
	pp_profile_free(p);
	pp_activity_free(&list);
	pp_buf_append(&out, "", 1);
	assert_int_equal(out.failed, 0);
	out.len--;
	return (out);
}

static void
the_dump_has_gos_form_and_a_list_before_it(void **state)
{
	struct counts c = prepare();
	struct pp_buf text;
	struct pp_inflight *f;
	char *at;

	(void)state;
	f = inflight(&c, 1, 7, PP_WAIT_PGSQL, 0x100);
	f->label = fixture_label(&c.f, 1,
	    "http.route\0^/pa.*$\0http.method\0POST", 35);
	f->bytes_in = 17;
	f->bytes_out = 5000000000;
	f->since_ns = pp_clock_mono() - 185 * SEC;
	inflight(&c, 2, 10, PP_WAIT_SLEEP, 0x100)->since_ns = pp_clock_mono();
	text = dump_of(&c);
	assert_int_equal(strncmp(text.data,
			     "# 2 in progress\n"
			     "# goroutine 7: request POST /page, route "
			     "^/pa.*$, worker 1, pid 100, age 200.",
			     92),
	    0);
	assert_non_null(strstr(text.data,
	    " s, 17 bytes in, "
	    "5000000000 bytes out\n# goroutine 10: "));
	at = strstr(text.data, "\n\ngoroutine ");
	assert_non_null(at);
	assert_string_equal(at,
	    "\n\ngoroutine 7 [pgsql wait, 3 minutes]:\n"
	    "0x5555555550ff(...)\n\t??:0\n"
	    "0x55555555cfff(...)\n\t??:0\n"
	    "\n"
	    "goroutine 10 [sleeping]:\n"
	    "0x5555555550ff(...)\n\t??:0\n"
	    "0x55555555cfff(...)\n\t??:0\n");
	pp_buf_free(&text);
	counts_free(&c);
}

/* Names, files and paths that would end a line, or a block. */
static void
nothing_that_others_wrote_makes_a_line_of_its_own(void **state)
{
	struct counts c = prepare();
	struct pp_activity_list list;
	struct pp_line line = { 0, 7 };
	struct pp_buf text = { 0 };
	struct pp_profile *p;
	struct pp_inflight *f;

	(void)state;
	f = inflight(&c, 1, 4, PP_WAIT_SLEEP, 0x100);
	memset(f->path, '\n', sizeof(f->path)); /* not terminated, either */
	f->label =
	    fixture_label(&c.f, 1, "http.route\0/a\n\ngoroutine 1\0", 28);
	list = read_list(&c);
	assert_int_equal(strspn(list.item[0].path, "?"),
	    PP_INFLIGHT_PATH_MAX - 1);
	assert_int_equal(strlen(list.item[0].path), PP_INFLIGHT_PATH_MAX - 1);
	p = pp_activity_stacks(&list);
	assert_non_null(p);
	line.function = pp_profile_function(p, "f(a)\n%x/(", "a\nb\t.c", 1);
	pp_profile_lines(p, p->stack[0], &line, 1);
	line.function = pp_profile_function(p, "g", "/src/g.cpp", 1);
	pp_profile_lines(p, p->stack[1], &line, 1);
	pp_encode_text_activity(&list, p, &text);
	pp_buf_append(&text, "", 1);
	assert_null(strstr(text.data, "\n\ngoroutine 1"));
	assert_non_null(strstr(text.data, ", route /a??goroutine?1, "));
	assert_non_null(strstr(text.data,
	    "\ngoroutine 4 [sleeping, 1 minutes]:\n"
	    "f<a>__x_<(...)\n\ta?b?.c:7\n"
	    "g(...)\n\t??:7\n"));
	pp_profile_free(p);
	pp_activity_free(&list);
	pp_buf_free(&text);
	counts_free(&c);
}

/* The pattern by which gostackparse knows a head. */
static const char *
strict_heads(void)
{
	return ("awk '/^goroutine /{n++; "
		"if ($0 !~ /^goroutine [0-9]+ "
		"\\[[^,]+(, [0-9]+ minutes)?(, locked to thread)?\\]:$/) "
		"exit 1} END {print n}'");
}

static void
parsers_of_go_dumps_read_the_dump(void **state)
{
	struct counts c = prepare();
	struct pp_buf text;
	const char *said;
	uint32_t i;

	(void)state;
	for (i = 1; i <= 5; i++)
		inflight(&c, i, 3 * i + 1, PP_WAIT_PGSQL, 0x100);
	thread_in(&c, 0, PID, "epoll_wait");
	thread_in(&c, 1, PID + 1, NULL)->dumped = 0;
	text = dump_of(&c);
	said = go_ask(&text, "panicparse -no-color");
	/* It has put the five that are alike together. */
	assert_non_null(strstr(said, "\n5: pgsql wait [1 minutes]"));
	assert_non_null(strstr(said, "\n1: epoll wait"));
	assert_non_null(strstr(said, "\n1: not answering"));
	assert_null(strstr(said, "\ngoroutine "));
	assert_int_equal(atoi(go_ask(&text, strict_heads())), 7);
	pp_buf_free(&text);
	counts_free(&c);
}

static void
the_count_text_is_as_go_writes_it_and_pprof_reads_it(void **state)
{
	struct counts c = prepare();
	struct pp_buf text = { 0 };
	struct pp_profile *p;

	(void)state;
	inflight(&c, 1, 4, PP_WAIT_SLEEP, 0x100);
	inflight(&c, 2, 7, PP_WAIT_SLEEP, 0x100);
	thread_in(&c, 0, PID, NULL)->dumped = 0;
	p = profile_of(&c);
	pp_encode_text_count(p, NULL, &text);
	pp_buf_append(&text, "", 1);
	text.len--;
	assert_string_equal(text.data,
	    "goroutine profile: total 3\n"
	    "2 @ 0x555555555100 0x55555555d000\n"
	    "# labels: {\"state\":\"sleeping\", \"worker\":1}\n"
	    "#\t0x5555555550ff\n"
	    "#\t0x55555555cfff\n"
	    "\n"
	    "1 @ 0x2000000000000001\n"
	    "# labels: {\"state\":\"not answering\", \"worker\":1, "
	    "\"thread\":100}\n"
	    "#\t0x2000000000000000\t[no stack]\n"
	    "\n");
	assert_true(go_says(go_pprof(&text, "-raw"), "goroutine/count 2:"));
	pp_buf_free(&text);
	pp_profile_free(p);
	counts_free(&c);
}

static void
full_stack(struct counts *c, uint32_t slot, uint64_t at, struct pp_inflight *f)
{
	uint64_t pc[PP_FRAMES_MAX];
	uint32_t i;

	for (i = 0; i < PP_FRAMES_MAX; i++)
		pc[i] = EXE_START + at + i * 0x40;
	f->stack = counts_stack(c, slot, 2, pc, PP_FRAMES_MAX);
}

/* More than Go writes, of a table that is full. */
static void
a_dump_ends_at_64_megabytes_and_says_so(void **state)
{
	struct counts c = prepare();
	struct pp_buf text;
	char *at;
	uint32_t i;

	(void)state;
	for (i = 1; i < PP_INFLIGHT_MAX; i++)
		full_stack(&c, 1, 0x100,
		    inflight(&c, i, 3 * i + 1, PP_WAIT_SLEEP, 0));
	/* A second worker's are as many. */
	c.f.arena->slot[2] = c.f.arena->slot[1];
	text = dump_of(&c);
	assert_true(text.len > 60 << 20);
	assert_true(text.len <= 64 << 20);
	at = strstr(text.data, "# 32766 in progress, of which only ");
	assert_ptr_equal(at, text.data);
	assert_true(atoi(at + 35) > 10000 && atoi(at + 35) < 32766);
	pp_buf_free(&text);
	counts_free(&c);
}

static void
ten_thousand_sleeping_requests_are_read_at_once(void **state)
{
	struct counts c = prepare();
	struct pp_activity_list list;
	struct pp_profile *p;
	struct pp_buf text;
	int64_t began, read, all, best_read = INT64_MAX, best_all = INT64_MAX;
	uint32_t i;

	(void)state;
	thread_in(&c, 0, PID, "epoll_wait");
	for (i = 1; i <= 10000; i++)
		full_stack(&c, 1, 0x1000 * (i % 20),
		    inflight(&c, i, 3 * i + 1, (enum pp_wait)(1 + i % 11), 0));
	pp_profile_free(profile_of(&c)); /* as a service that runs */
	for (i = 0; i < 7; i++) {
		began = pp_clock_mono();
		list = read_list(&c);
		read = pp_clock_mono() - began;
		p = pp_activity_profile(&list);
		all = pp_clock_mono() - began;
		assert_non_null(p);
		assert_int_equal(profile_sum(p, 0), 10001);
		best_read = read < best_read ? read : best_read;
		best_all = all < best_all ? all : best_all;
		pp_profile_free(p);
		pp_activity_free(&list);
	}
	print_message("10,000 requests, best of 7: read in %.1f ms, profile "
		      "after %.1f ms\n",
	    (double)best_read / 1e6, (double)best_all / 1e6);
	began = pp_clock_mono();
	text = dump_of(&c);
	print_message("debug=2: %zu bytes in %.1f ms\n", text.len,
	    (double)(pp_clock_mono() - began) / 1e6);
	pp_buf_free(&text);
	counts_free(&c);
}

static _Atomic int scribbling;

/* A worker that was taken over writes what it likes, all the time. */
/* It races with the reader on purpose: ThreadSanitizer is not to see it. */
static __attribute__((no_sanitize_thread)) void *
scribble(void *arg)
{
	struct pp_slot *slot = arg;
	uint64_t seed = 1, *word;
	size_t words;

	while (scribbling) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		words = sizeof(slot->inflights) / sizeof(*word) / 64;
		word = (uint64_t *)(void *)&slot->inflights;
		word[(seed >> 33) % words] = seed;
		word = (uint64_t *)(void *)slot->thread;
		words = sizeof(slot->thread);
		words /= sizeof(*word);
		word[(seed >> 20) % words] = seed >> 8;
		slot->inflights.used = (uint32_t)(seed >> 50);
	}
	return (NULL);
}

static void
a_worker_that_lies_all_the_time_costs_only_its_own(void **state)
{
	struct counts c = prepare();
	struct pp_activity_list list;
	struct pp_buf text = { 0 };
	struct pp_profile *p;
	pthread_t liar;
	uint32_t i, round;

	(void)state;
	inflight(&c, 5, 4, PP_WAIT_SLEEP, 0x100);
	/* The honest one. */
	c.f.arena->slot[2] = c.f.arena->slot[1];
	scribbling = 1;
	assert_int_equal(pthread_create(&liar, NULL, scribble,
			     &c.f.arena->slot[1]),
	    0);
	for (round = 0; round < 100; round++) {
		list = read_list(&c);
		for (i = 0; i < list.items; i++) {
			assert_non_null(list.item[i].state);
			assert_true(list.item[i].started_ns > 0);
			assert_true(list.item[i].started_ns <= list.now_ns);
			assert_true(list.item[i].since_ns <= list.now_ns);
			assert_true(memchr(list.item[i].path, '\0',
					PP_INFLIGHT_PATH_MAX) != NULL);
		}
		assert_int_equal(list.item[list.items - 1].slot, 2);
		p = pp_activity_stacks(&list);
		assert_non_null(p);
		pp_encode_text_activity(&list, p, &text);
		assert_int_equal(text.failed, 0);
		pp_buf_free(&text);
		pp_profile_free(p);
		pp_activity_free(&list);
	}
	scribbling = 0;
	pthread_join(liar, NULL);
	counts_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    requests_asleep_show_where_they_went_to_sleep_and_why),
		cmocka_unit_test(a_delta_shows_what_came_and_what_went),
		cmocka_unit_test(
		    the_request_that_runs_takes_the_place_of_its_thread),
		cmocka_unit_test(
		    a_request_that_began_after_the_thread_had_answered_is_not_shown),
		cmocka_unit_test(
		    of_requests_that_were_woken_one_runs_and_the_others_could),
		cmocka_unit_test(
		    a_task_takes_the_place_of_its_thread_and_waits_without_one),
		cmocka_unit_test(
		    a_thread_that_does_not_answer_is_listed_as_that),
		cmocka_unit_test(questions_go_round_without_zero),
		cmocka_unit_test(states_are_told_by_the_librarys_functions),
		cmocka_unit_test(
		    only_functions_in_the_leafs_file_tell_the_state),
		cmocka_unit_test(ids_of_threads_are_nobody_elses),
		cmocka_unit_test(the_dump_has_gos_form_and_a_list_before_it),
		cmocka_unit_test(
		    nothing_that_others_wrote_makes_a_line_of_its_own),
		cmocka_unit_test(parsers_of_go_dumps_read_the_dump),
		cmocka_unit_test(
		    the_count_text_is_as_go_writes_it_and_pprof_reads_it),
		cmocka_unit_test(a_dump_ends_at_64_megabytes_and_says_so),
		cmocka_unit_test(
		    ten_thousand_sleeping_requests_are_read_at_once),
		cmocka_unit_test(
		    a_worker_that_lies_all_the_time_costs_only_its_own),
	};

	return (cmocka_run_group_tests(tests, go_prepare, go_clean));
}
