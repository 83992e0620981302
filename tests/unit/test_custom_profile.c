/*
 * Tests of counts/custom_profile.c and counts/creations.c: the application's
 * own profiles over workers that know them at different places, and who created
 * threads and workers, with why workers have ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counts/creations.h"
#include "counts/custom_profile.h"
#include "counts_fixture.h"
#include "encode/profile/pprof.h"
#include "encode/text/text_count.h"
#include "go_pprof.h"

/* As pprof_profile_new() does; returns the place. */
static uint32_t
custom_new(struct counts *c, uint32_t slot, const char *name)
{
	struct pp_custom *custom = &c->f.arena->slot[slot].custom;

	strncpy(custom->name[custom->used], name, PP_CUSTOM_NAME_MAX);
	return (custom->used++);
}

static void
custom_hold(struct counts *c, uint32_t slot, uint32_t place, uint64_t at,
    uint64_t added, uint64_t removed)
{
	counts_add(&c->f.arena->slot[slot].custom.counters, place, 0,
	    counts_here(c, slot, at), added, removed);
}

static struct pp_buf
text_of(struct pp_profile *p, const char *comments)
{
	struct pp_buf out = { 0 };

	assert_non_null(p);
	pp_encode_text_count(p, comments, &out);
	pp_profile_free(p);
	pp_buf_append(&out, "", 1);
	assert_int_equal(out.failed, 0);
	out.len--;
	return (out);
}

/* The places of a name differ from worker to worker. */
static void
a_name_is_summed_over_workers_and_the_dead_hold_nothing(void **state)
{
	struct counts c = counts_new();
	struct pp_counts_custom_names list;
	struct pp_profile *p;
	uint32_t conns[2];

	(void)state;
	conns[0] = custom_new(&c, 1, "db.connections");
	(void)custom_new(&c, 2, "files");
	conns[1] = custom_new(&c, 2, "db.connections");
	assert_int_not_equal(conns[0], conns[1]);
	custom_hold(&c, 1, conns[0], 0x100, 10, 3);
	custom_hold(&c, 2, conns[1], 0x100, 5, 0);
	custom_hold(&c, 2, conns[1], 0x200, 4, 4);
	custom_hold(&c, 2, conns[0], 0x300, 100, 1);
	pp_counts_custom_names(c.resolver, &list);
	assert_int_equal(list.used, 2);
	assert_string_equal(list.name[0], "db.connections");
	assert_int_equal(list.held[0], 12);
	assert_string_equal(list.name[1], "files");
	assert_int_equal(list.held[1], 99);
	p = pp_counts_custom_profile(c.resolver, "db.connections");
	assert_non_null(p);
	assert_string_equal(p->value_type[0].type, "db.connections");
	assert_string_equal(p->value_type[0].unit, "count");
	assert_int_equal(p->value_types, 1);
	assert_int_equal(p->samples, 2);
	assert_int_equal(profile_sum(p, 0), 12);
	pp_profile_free(p);
	c.f.arena->slot[1].life.pid = 0;
	pp_counts_custom_names(c.resolver, &list);
	assert_int_equal(list.held[0], 5);
	p = pp_counts_custom_profile(c.resolver, "db.connections");
	assert_int_equal(profile_sum(p, 0), 5);
	assert_string_equal(counts_label(p, 0, "worker"), "2");
	pp_profile_free(p);
	counts_free(&c);
}

static void
names_that_could_not_be_given_are_no_names(void **state)
{
	struct counts c = counts_new();
	struct pp_custom *custom = &c.f.arena->slot[1].custom;
	struct pp_counts_custom_names list;
	struct pp_profile *p;
	uint32_t i;

	(void)state;
	(void)custom_new(&c, 1, "");
	(void)custom_new(&c, 1, "a b");
	(void)custom_new(&c, 1, "a/b");
	(void)custom_new(&c, 1, "a\nb");
	(void)custom_new(&c, 1, "\xc3\xa4");
	memset(custom->name[custom->used++], 'x', PP_CUSTOM_NAME_MAX);
	/* Said twice: two threads may each have claimed a place for it. */
	custom_hold(&c, 1, custom_new(&c, 1, "good"), 0x100, 1, 0);
	custom_hold(&c, 1, custom_new(&c, 1, "good"), 0x100, 2, 0);
	/* More removed than added; a place that there is not. */
	custom_hold(&c, 1, 7, 0x200, 1, 9);
	custom_hold(&c, 1, PP_CUSTOM_MAX, 0x300, 5, 0);
	custom->used = UINT32_MAX;
	pp_counts_custom_names(c.resolver, &list);
	assert_int_equal(list.used, 2);
	assert_string_equal(list.name[0], "good");
	assert_int_equal(list.held[0], 3);
	assert_int_equal(strlen(list.name[1]), PP_CUSTOM_NAME_MAX - 1);
	p = pp_counts_custom_profile(c.resolver, "good");
	assert_int_equal(profile_sum(p, 0), 3);
	pp_profile_free(p);
	p = pp_counts_custom_profile(c.resolver, "never given");
	assert_non_null(p);
	assert_int_equal(p->samples, 0);
	pp_profile_free(p);
	/* More names than have room: some are shown, the rest is counted. */
	for (i = 0; i < 2 * PP_CUSTOM_MAX; i++)
		snprintf(c.f.arena->slot[1 + i / PP_CUSTOM_MAX]
			     .custom.name[i % PP_CUSTOM_MAX],
		    PP_CUSTOM_NAME_MAX, "n%u", i);
	c.f.arena->slot[2].custom.used = PP_CUSTOM_MAX;
	pp_counts_custom_names(c.resolver, &list);
	assert_int_equal(list.used + list.dropped, 2 * PP_CUSTOM_MAX);
	counts_free(&c);
}

static void
pprof_reads_the_text_of_an_own_profile(void **state)
{
	struct counts c = counts_new();
	struct pp_buf text;
	const char *said;

	(void)state;
	custom_hold(&c, 1, custom_new(&c, 1, "db.connections"), 0x100, 3, 0);
	text = text_of(pp_counts_custom_profile(c.resolver, "db.connections"),
	    NULL);
	assert_string_equal(text.data,
	    "db.connections profile: total 3\n"
	    "3 @ 0x555555555100 0x55555555d000\n"
	    "# labels: {\"worker\":1}\n"
	    "#\t0x5555555550ff\n"
	    "#\t0x55555555cfff\n"
	    "\n");
	said = go_pprof(&text, "-raw");
	assert_true(go_says(said, "db.connections/count 3:"));
	pp_buf_free(&text);
	counts_free(&c);
}

static void
born(struct counts *c, uint32_t slot, uint32_t place, uint32_t tid, uint64_t at)
{
	struct pp_thread_facts *facts = &c->f.arena->slot[slot].thread[place];

	facts->tid = tid;
	facts->creator = at == 0 ? 0 : counts_here(c, slot, at);
}

static void
threads_count_by_their_creator_and_workers_by_their_fork(void **state)
{
	uint64_t fork_pc[2] = { EXE_START + 0x700, EXE_START + 0x800 };
	struct counts c = counts_new();
	struct pp_slot *slot = c.f.arena->slot;
	struct pp_profile *p;

	(void)state;
	slot[1].life.pid = 100;
	slot[2].life.pid = 0; /* its threads are not there any more */
	slot[1].life.fork_stack = counts_stack(&c, 0, 2, fork_pc, 2);
	born(&c, 1, 0, 100, 0); /* the first thread: forked */
	born(&c, 1, 1, 101, 0x100);
	born(&c, 1, 2, 102, 0x100);
	born(&c, 1, 3, 0, 0x100); /* has ended */
	born(&c, 1, 255, 103, 0); /* creator unknown */
	born(&c, 2, 0, 200, 0x100);
	slot[1].thread[1].creator_label =
	    fixture_label(&c.f, 1, "http.route\0/x\0", 14);
	assert_int_equal(pp_creations_count(c.resolver), 4);
	p = pp_creations_profile(c.resolver);
	assert_non_null(p);
	assert_string_equal(p->value_type[0].type, "threadcreate");
	assert_string_equal(p->period_type.type, "threadcreate");
	assert_int_equal(profile_sum(p, 0), 4);
	assert_int_equal(profile_sum_label(p, 0, "http.route", "/x", 0), 1);
	assert_int_equal(p->samples, 4);
	pp_profile_free(p);
	counts_free(&c);
}

static void
the_text_says_why_workers_have_ended_and_pprof_reads_it(void **state)
{
	uint64_t fork_pc[1] = { EXE_START + 0x700 };
	struct counts c = counts_new();
	struct pp_slot *slot = c.f.arena->slot;
	struct pp_profile *p;
	struct pp_buf text;
	const char *said;

	(void)state;
	slot[1].life.fork_stack = counts_stack(&c, 0, 2, fork_pc, 1);
	slot[1].life.deaths = 2;
	slot[1].life.last_status = 11; /* a signal, as waitpid() has it */
	slot[1].life.last_label = fixture_label(&c.f, 1,
	    "http.route\0^/a\nb\0http.method\0GET\0", 34);
	slot[2].life.pid = 0;
	slot[2].life.deaths = 1;
	slot[2].life.last_status = 3 << 8;
	slot[2].life.last_label = 0xfffff;
	text = text_of(pp_creations_profile(c.resolver), PP_CREATIONS_WORKER);
	assert_string_equal(text.data,
	    "threadcreate profile: total 1\n"
	    "# worker_1_restarts=2 last=signal 11 route=^/a?b method=GET\n"
	    "# worker_2_restarts=1 last=exit 3\n"
	    "1 @ 0x555555555700\n"
	    "# labels: {\"worker\":1}\n"
	    "#\t0x5555555556ff\n"
	    "\n");
	said = go_pprof(&text, "-raw");
	assert_true(go_says(said, "threadcreate/count 1:"));
	pp_buf_free(&text);
	/* Without a stack there is an address all the same. */
	slot[1].life.fork_stack = 0;
	text = text_of(pp_creations_profile(c.resolver), PP_CREATIONS_WORKER);
	said = go_pprof(&text, "-raw");
	assert_true(go_says(said, "threadcreate/count 1:"));
	pp_buf_free(&text);
	memset(&text, 0, sizeof(text));
	p = pp_creations_profile(c.resolver);
	assert_int_equal(pp_encode_pprof(p, &text), 0);
	pp_profile_free(p);
	said = go_pprof(&text, "-raw");
	assert_true(go_says(said, "threadcreate/count 1:"));
	assert_non_null(strstr(said, "worker_1_restarts=2 last=signal 11"));
	pp_buf_free(&text);
	counts_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_name_is_summed_over_workers_and_the_dead_hold_nothing),
		cmocka_unit_test(names_that_could_not_be_given_are_no_names),
		cmocka_unit_test(pprof_reads_the_text_of_an_own_profile),
		cmocka_unit_test(
		    threads_count_by_their_creator_and_workers_by_their_fork),
		cmocka_unit_test(
		    the_text_says_why_workers_have_ended_and_pprof_reads_it),
	};

	return (cmocka_run_group_tests(tests, go_prepare, go_clean));
}
