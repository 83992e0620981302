/*
 * Labels that the application pushes and pops: what the thread carries then,
 * read back from the arena.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/label.h"
#include "store/intern.h"

#define SLOT 1

static struct pp_arena *arena;

static int
prepare(void **state)
{
	const char *why;
	int fd;

	(void)state;
	arena = pp_arena_create(2, &fd);
	if (arena == NULL || pp_self_prepare(&why) == -1)
		return (-1);
	pp_self_start(arena, SLOT);
	return (0);
}

static int
begin_anew(void **state)
{
	(void)state;
	pp_label_unwind(0);
	(void)pp_label_swap(0);
	return (0);
}

/* "key=value key=value", in their order. */
static const char *
carried(void)
{
	static __thread char text[PP_LABEL_SET_MAX * 2];
	struct pp_intern_table table =
	    pp_intern_labels(&arena->slot[SLOT].labels);
	uint64_t words[PP_LABEL_SET_MAX / sizeof(uint64_t) + 1];
	const char *at = (const char *)words;

	text[0] = '\0';
	memset(words, 0, sizeof(words));
	if (pp_label_now == 0 ||
	    pp_intern_read(&table, pp_label_now, words,
		PP_LABEL_SET_MAX / sizeof(uint64_t)) == 0)
		return (text);
	while (*at != '\0') {
		if (text[0] != '\0')
			(void)strcat(text, " ");
		(void)strcat(strcat(text, at), "=");
		at += strlen(at) + 1;
		(void)strcat(text, at);
		at += strlen(at) + 1;
	}
	return (text);
}

static uint64_t
dropped(void)
{
	return (atomic_load(&arena->slot[SLOT].loss[PP_LOSS_LABELS_DROPPED]));
}

#define assert_refused(call, error)                                            \
	do {                                                                   \
		errno = 0;                                                     \
		assert_int_equal(call, -1);                                    \
		assert_int_equal(errno, error);                                \
	} while (0)

static void
labels_nest_and_come_back(void **state)
{
	(void)state;
	assert_string_equal(carried(), "");
	assert_int_equal(pp_label_push("a", "1"), 0);
	assert_int_equal(pp_label_push("b", "2"), 0);
	assert_string_equal(carried(), "a=1 b=2");
	assert_int_equal(pp_label_depth, 2);
	pp_label_pop();
	assert_string_equal(carried(), "a=1");
	assert_int_equal(pp_label_push("c", ""), 0);
	assert_string_equal(carried(), "a=1 c=");
	pp_label_pop();
	pp_label_pop();
	assert_string_equal(carried(), "");
	pp_label_pop();
	assert_int_equal(pp_label_depth, 0);
	assert_string_equal(carried(), "");
}

static void
a_key_that_is_there_is_replaced_until_the_pop(void **state)
{
	(void)state;
	assert_int_equal(pp_label_push("a", "1"), 0);
	assert_int_equal(pp_label_push("b", "2"), 0);
	assert_int_equal(pp_label_push("a", "other"), 0);
	assert_string_equal(carried(), "a=other b=2");
	pp_label_pop();
	assert_string_equal(carried(), "a=1 b=2");
}

/* As in a handler: the route's set is below what is pushed. */
static void
a_set_that_was_there_stays_below(void **state)
{
	struct pp_label_pair route[] = { { "http.route", "/x" },
		{ "http.method", "GET" } };

	(void)state;
	(void)pp_label_swap(pp_label_intern(route, 2));
	assert_int_equal(pp_label_push("tenant", "big one"), 0);
	assert_string_equal(carried(),
	    "http.route=/x http.method=GET tenant=big one");
	assert_int_equal(pp_label_push("http.route", "/y"), 0);
	assert_string_equal(carried(),
	    "http.route=/y http.method=GET tenant=big one");
	pp_label_unwind(0);
	assert_string_equal(carried(), "http.route=/x http.method=GET");
}

static void
the_same_set_is_stored_once(void **state)
{
	uint32_t first, used, i;

	(void)state;
	assert_int_equal(pp_label_push("same", "set"), 0);
	first = pp_label_now;
	used = atomic_load(&arena->slot[SLOT].labels.used);
	for (i = 0; i < 1000; i++) {
		pp_label_pop();
		assert_int_equal(pp_label_push("same", "set"), 0);
		assert_int_equal(pp_label_now, first);
	}
	assert_int_equal(atomic_load(&arena->slot[SLOT].labels.used), used);
}

static void
sixteen_nest_and_a_forgotten_one_is_undone(void **state)
{
	char key[16];
	int i;

	(void)state;
	for (i = 0; i < PP_LABEL_DEPTH; i++)
		assert_int_equal(pp_label_push("k", i % 2 ? "odd" : "even"), 0);
	assert_refused(pp_label_push("k", "one more"), ENOSPC);
	assert_string_equal(carried(), "k=odd");
	assert_int_equal(pp_label_depth, PP_LABEL_DEPTH);
	pp_label_unwind(3);
	assert_int_equal(pp_label_depth, 3);
	assert_string_equal(carried(), "k=even");
	pp_label_unwind(5);
	assert_int_equal(pp_label_depth, 3);
	pp_label_unwind(0);
	/* As many labels as a set has, of keys that differ. */
	for (i = 0; i < PP_LABELS_PER_SET; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(pp_label_push(key, "v"), 0);
	}
	pp_label_pop();
	assert_int_equal(pp_label_push("last", "v"), 0);
	assert_non_null(strstr(carried(), "k14=v last=v"));
}

/* What is refused changes nothing, and needs no pop. */
static void
bad_labels_are_refused(void **state)
{
	char text[PP_LABEL_SET_MAX + 8];
	uint64_t lost = dropped();

	(void)state;
	assert_int_equal(pp_label_push("a", "1"), 0);
	assert_refused(pp_label_push("", "v"), EINVAL);
	memset(text, 'x', sizeof(text));
	text[PP_LABEL_SET_MAX - 3] = '\0';
	assert_refused(pp_label_push("kk", text), EINVAL);
	/* Fits alone, but not beside what is there. */
	assert_refused(pp_label_push("k", text), ENOSPC);
	assert_string_equal(carried(), "a=1");
	assert_int_equal(pp_label_depth, 1);
	pp_label_pop();
	assert_int_equal(pp_label_push("k", text), 0);
	assert_int_equal(strlen(carried()), 2 + strlen(text));
	assert_int_equal(dropped(), lost);
}

static void *
pushes_its_own(void *arg)
{
	char value[32], wanted[64];
	long bad = 0;
	int i;

	for (i = 0; i < 2000; i++) {
		snprintf(value, sizeof(value), "%ld.%d", (long)(intptr_t)arg,
		    i % 20);
		bad += carried()[0] != '\0';
		bad += pp_label_push("thread", value) != 0;
		bad += pp_label_push("in", "it") != 0;
		snprintf(wanted, sizeof(wanted), "thread=%s in=it", value);
		bad += strcmp(carried(), wanted) != 0;
		pp_label_pop();
		pp_label_pop();
	}
	return ((void *)(intptr_t)bad);
}

static void
each_thread_has_its_own(void **state)
{
	pthread_t thread[8];
	void *bad;
	long i;

	(void)state;
	assert_int_equal(pp_label_push("main", "1"), 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
				     pushes_its_own, (void *)(intptr_t)i),
		    0);
	for (i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	assert_string_equal(carried(), "main=1");
}

static void
without_a_slot_there_are_no_labels(void **state)
{
	(void)state;
	pp_self_leave();
	assert_refused(pp_label_push("a", "1"), ENOTCONN);
	pp_label_pop();
	assert_int_equal(pp_label_now, 0);
	pp_self_start(arena, SLOT);
	assert_int_equal(pp_label_push("a", "1"), 0);
	assert_string_equal(carried(), "a=1");
}

/* Last, since sets are kept for ever. */
static void
a_full_table_refuses_new_sets_and_keeps_the_old(void **state)
{
	uint64_t lost;
	char value[32];
	int i, taken = 0, refused = 0;

	(void)state;
	assert_int_equal(pp_label_push("old", "set"), 0);
	pp_label_pop();
	lost = dropped();
	for (i = 0; i < 20000; i++) {
		snprintf(value, sizeof(value), "request %d", i);
		errno = 0;
		if (pp_label_push("id", value) == 0) {
			taken++;
			pp_label_pop();
		} else
			refused += errno == ENOSPC;
	}
	print_message("%d sets fit\n", taken);
	assert_int_equal(taken + refused, 20000);
	assert_true(taken > 500 && refused > 10000);
	assert_int_equal(dropped() - lost, refused);
	assert_int_equal(pp_label_push("old", "set"), 0);
	assert_string_equal(carried(), "old=set");
}

int
main(void)
{
#define LABEL_TEST(name) cmocka_unit_test_setup(name, begin_anew)
	const struct CMUnitTest tests[] = {
		LABEL_TEST(labels_nest_and_come_back),
		LABEL_TEST(a_key_that_is_there_is_replaced_until_the_pop),
		LABEL_TEST(a_set_that_was_there_stays_below),
		LABEL_TEST(the_same_set_is_stored_once),
		LABEL_TEST(sixteen_nest_and_a_forgotten_one_is_undone),
		LABEL_TEST(bad_labels_are_refused),
		LABEL_TEST(each_thread_has_its_own),
		LABEL_TEST(without_a_slot_there_are_no_labels),
		LABEL_TEST(a_full_table_refuses_new_sets_and_keeps_the_old),
	};

	return (cmocka_run_group_tests(tests, prepare, NULL));
}
