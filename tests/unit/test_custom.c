/*
 * The application's own profiles: what was added is there until it is
 * removed, under the stack that added it, whoever removes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/wait.h>

#include "capture/custom.h"
#include "service/endpoints.h"
#include "service/service.h"
#include "wait_fixture.h"

/* The library that owns things. */
static const char source[] =
    "#include <errno.h>\n"
    "#include <pthread.h>\n"
    "#include <stdatomic.h>\n"
    "#include <stddef.h>\n"
    "#include <stdint.h>\n"
    "typedef int (*add_fn)(const char *, const void *, int);\n"
    "typedef int (*remove_fn)(const char *, const void *);\n"
    "add_fn add; remove_fn gone; void (*on_thread)(void);\n"
    "int opens(const char *name, const void *key, int skip)\n"
    "{ int result = add(name, key, skip); return result; }\n"
    "int asks_to_open(const char *name, const void *key, int skip)\n"
    "{ int result = opens(name, key, skip); return result; }\n"
    "int closes(const char *name, const void *key) { return gone(name, key); }\n"
    "\n"
    "/* Each thread opens `n` of its own, and closes all but `left`. */\n"
    "static int n, left; _Atomic int bad, removed;\n"
    "char things[16][20000];\n"
    "static void *opens_and_closes(void *me) { char *mine = things[(size_t)me];\n"
    "	int i, turn; on_thread();\n"
    "	for (turn = 0; turn < 5; turn++) {\n"
    "		for (i = 0; i < n; i++)\n"
    "			bad += opens(\"many\", &mine[i], 0) != 0;\n"
    "		for (i = turn < 4 ? 0 : left; i < n; i++)\n"
    "			bad += closes(\"many\", &mine[i]) != 0; }\n"
    "	return NULL; }\n"
    "static void *closes_theirs(void *me) { int i; on_thread();\n"
    "	for (i = 0; i < n; i++) removed += closes(\"race\", &things[15][i]) == 0;\n"
    "	return NULL; }\n"
    "static void *names_alike(void *me) { char name[2] = \"a\"; int i;\n"
    "	for (i = 0; i < 8; i++) { name[0] = 'a' + i;\n"
    "		bad += opens(name, &things[(size_t)me][i], 0) != 0; }\n"
    "	return NULL; }\n"
    "static void threads(void *(*f)(void *), int count) { pthread_t t[16];\n"
    "	size_t i; for (i = 0; i < count; i++)\n"
    "		pthread_create(&t[i], NULL, f, (void *)i);\n"
    "	for (i = 0; i < count; i++) pthread_join(t[i], NULL); }\n"
    "void many(int each, int rest) { n = each; left = rest;\n"
    "	threads(opens_and_closes, 8); }\n"
    "void race(int each, int unused) { int i; n = each;\n"
    "	for (i = 0; i < n; i++) bad += opens(\"race\", &things[15][i], 0) != 0;\n"
    "	threads(closes_theirs, 8); }\n"
    "/* All threads open the same. */\n"
    "_Atomic int opened, refused;\n"
    "static void *opens_ours(void *me) { int i; on_thread();\n"
    "	for (i = 0; i < n; i++) { if (opens(\"same\", &things[15][i], 0) == 0)\n"
    "		opened++; else refused += errno == EEXIST; } return NULL; }\n"
    "void same(int each, int unused) { n = each; threads(opens_ours, 8); }\n"
    "void names(int unused, int unused_too) { threads(names_alike, 8); }\n";

typedef int (*add_fn)(const char *, const void *, int);
typedef int (*remove_fn)(const char *, const void *);

static add_fn opens, asks_to_open;
static remove_fn closes;
static char things[64];

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	wait_load(source);
	if (wait_begin() == -1)
		return (-1);
	*(add_fn *)wait_symbol("add") = pp_custom_add;
	*(remove_fn *)wait_symbol("gone") = pp_custom_remove;
	*(void (**)(void))wait_symbol("on_thread") = wait_take_label;
	opens = wait_call(add_fn, "opens");
	asks_to_open = wait_call(add_fn, "asks_to_open");
	closes = wait_call(remove_fn, "closes");
	return (0);
}

/* Each test has a service of its own, new. */
static int
begin_anew(void **state)
{
	struct pp_custom *custom = &wait_slot()->custom;

	(void)state;
	memset(custom, 0, sizeof(*custom));
	return (0);
}

struct custom_sum {
	uint64_t added, removed;
	int live;
};

/* Of one profile; through a function, which `leaf` must be the first frame
 * of the stack, or NULL. */
static struct custom_sum
sum_of(const char *name, const char *function, int leaf)
{
	struct pp_counters counters =
	    pp_counters_waits(&wait_slot()->custom.counters);
	struct custom_sum sum = { 0, 0, 0 };
	uint32_t i, place, label, stack;
	struct pp_counter *counter;

	for (i = 0; i < pp_counters_used(&counters); i++) {
		counter = &counters.counter[i];
		if (atomic_load(&counter->key) == 0)
			continue;
		pp_wait_unpack(atomic_load(&counter->key), &place, &label,
		    &stack);
		if (strcmp(wait_slot()->custom.name[place], name) != 0 ||
		    (function != NULL &&
			!wait_stack_has(stack, function, leaf)))
			continue;
		sum.added +=
		    atomic_load(&counter->value[PP_CUSTOM_VALUE_ADDED]);
		sum.removed +=
		    atomic_load(&counter->value[PP_CUSTOM_VALUE_REMOVED]);
	}
	sum.live = (int)(sum.added - sum.removed);
	return (sum);
}

#define assert_refused(call, error)                                            \
	do {                                                                   \
		errno = 0;                                                     \
		assert_int_equal(call, -1);                                    \
		assert_int_equal(errno, error);                                \
	} while (0)

static void
what_is_added_is_there_until_it_is_removed(void **state)
{
	(void)state;
	assert_int_equal(opens("conns", &things[0], 0), 0);
	assert_int_equal(opens("conns", &things[1], 0), 0);
	assert_int_equal(opens("files", &things[0], 0), 0);
	assert_int_equal(sum_of("conns", "opens", 0).live, 2);
	assert_int_equal(sum_of("files", "opens", 0).live, 1);
	assert_int_equal(closes("conns", &things[0]), 0);
	assert_int_equal(sum_of("conns", NULL, 0).live, 1);
	assert_int_equal(sum_of("files", NULL, 0).live, 1);
	assert_int_equal(opens("conns", &things[0], 0), 0);
	assert_int_equal(closes("conns", &things[0]), 0);
	assert_int_equal(closes("conns", &things[1]), 0);
	assert_int_equal(closes("files", &things[0]), 0);
	assert_int_equal(sum_of("conns", NULL, 0).live, 0);
	assert_int_equal(sum_of("conns", NULL, 0).added, 3);
}

static void
a_key_is_in_a_profile_once(void **state)
{
	(void)state;
	assert_int_equal(opens("conns", &things[0], 0), 0);
	assert_refused(opens("conns", &things[0], 0), EEXIST);
	assert_refused(closes("conns", &things[1]), ENOENT);
	assert_refused(closes("files", &things[0]), ENOENT);
	assert_int_equal(sum_of("conns", NULL, 0).added, 1);
	assert_int_equal(closes("conns", &things[0]), 0);
	assert_refused(closes("conns", &things[0]), ENOENT);
	assert_int_equal(sum_of("conns", NULL, 0).removed, 1);
}

static void
the_stack_begins_where_the_caller_wants(void **state)
{
	(void)state;
	assert_int_equal(asks_to_open("conns", &things[0], 0), 0);
	assert_int_equal(sum_of("conns", "opens", 1).live, 1);
	assert_int_equal(asks_to_open("conns", &things[1], 1), 0);
	assert_int_equal(sum_of("conns", "opens", 0).live, 1);
	assert_int_equal(sum_of("conns", "asks_to_open", 1).live, 1);
	/* Beyond the stack there is nothing to begin with: all of it. */
	assert_int_equal(asks_to_open("conns", &things[2], 1000), 0);
	assert_int_equal(asks_to_open("conns", &things[3], -5), 0);
	assert_int_equal(sum_of("conns", "opens", 1).live, 3);
	assert_int_equal(closes("conns", &things[0]), 0);
	assert_int_equal(closes("conns", &things[1]), 0);
	assert_int_equal(closes("conns", &things[2]), 0);
	assert_int_equal(closes("conns", &things[3]), 0);
}

static void
sixteen_names_fit_and_no_bad_one(void **state)
{
	static const char *const bad[] = { "", "with space", "with/slash",
		"tab\t", "line\n", "\xc3\xa4", "del\x7f" };
	char name[PP_CUSTOM_NAME_MAX + 2];
	uint64_t lost = wait_loss(PP_LOSS_CUSTOM_DROPPED);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pp_custom_place(bad[i]), -1);
	memset(name, 'x', sizeof(name));
	name[PP_CUSTOM_NAME_MAX] = '\0';
	assert_int_equal(pp_custom_place(name), -1);
	name[PP_CUSTOM_NAME_MAX - 1] = '\0';
	assert_int_equal(pp_custom_place(name), 0);
	assert_int_equal(pp_custom_place(name), 0);
	for (i = 1; i < PP_CUSTOM_MAX; i++) {
		snprintf(name, sizeof(name), "name%zu", i);
		assert_int_equal(pp_custom_place(name), (int)i);
	}
	assert_int_equal(pp_custom_place("one.more"), -1);
	assert_int_equal(pp_custom_place("name7"), 7);
	assert_refused(opens("one.more", &things[0], 0), ENOSPC);
	assert_refused(opens("bad name", &things[0], 0), EINVAL);
	assert_refused(closes("one.more", &things[0]), ENOSPC);
	assert_refused(closes("bad name", &things[0]), EINVAL);
	assert_refused(closes("name7", &things[0]), ENOENT);
	/* What has no profile is not missing in one. */
	assert_int_equal(wait_loss(PP_LOSS_CUSTOM_DROPPED), lost);
}

/* A profile there would never be seen. */
static void
names_of_endpoints_are_taken(void **state)
{
	char name[PP_CUSTOM_NAME_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < pp_endpoints_count; i++) {
		(void)snprintf(name, sizeof(name), "%s", pp_endpoints[i].name);
		name[strcspn(name, "/")] = '\0';
		if (pp_custom_place(name) != -1)
			fail_msg("%s is not taken", name);
	}
	assert_int_equal(i, pp_endpoints_count);
	assert_int_equal(pp_custom_place("doctors"), 0);
}

static void
a_full_table_is_counted_and_gives_room_again(void **state)
{
	uint64_t lost = wait_loss(PP_LOSS_CUSTOM_DROPPED);
	const char *base = (const char *)0x10000;
	uint32_t i, in = 0, refused = 0;

	(void)state;
	for (i = 0; i < 2 * PP_CUSTOM_LIVE; i++) {
		errno = 0;
		if (pp_custom_add("conns", base + i, 0) == 0)
			in++;
		else if (errno == ENOSPC)
			refused++;
	}
	print_message("%u of %u fit\n", in, (unsigned)PP_CUSTOM_LIVE);
	assert_int_equal(in + refused, 2 * PP_CUSTOM_LIVE);
	assert_true(in > PP_CUSTOM_LIVE * 9 / 10 && in <= PP_CUSTOM_LIVE);
	assert_int_equal(wait_loss(PP_LOSS_CUSTOM_DROPPED) - lost, refused);
	assert_int_equal(sum_of("conns", NULL, 0).live, in);
	for (i = 0; i < 2 * PP_CUSTOM_LIVE; i++)
		in -= pp_custom_remove("conns", base + i) == 0;
	assert_int_equal(in, 0);
	assert_int_equal(sum_of("conns", NULL, 0).live, 0);
	assert_int_equal(opens("conns", &things[0], 0), 0);
	assert_int_equal(closes("conns", &things[0]), 0);
}

static void
many_threads_at_once_lose_nothing(void **state)
{
	_Atomic int *bad = wait_symbol("bad");
	uint64_t lost = wait_loss(PP_LOSS_CUSTOM_DROPPED);

	(void)state;
	atomic_store(bad, 0);
	wait_call(void (*)(int, int), "many")(1500, 100);
	assert_int_equal(atomic_load(bad), 0);
	assert_int_equal(sum_of("many", "opens", 0).added, 8 * 5 * 1500);
	assert_int_equal(sum_of("many", NULL, 0).live, 8 * 100);
	assert_int_equal(wait_loss(PP_LOSS_CUSTOM_DROPPED), lost);
}

static void
of_threads_that_remove_the_same_one_has_done_it(void **state)
{
	_Atomic int *removed = wait_symbol("removed");
	_Atomic int *bad = wait_symbol("bad");

	(void)state;
	atomic_store(bad, 0);
	atomic_store(removed, 0);
	wait_call(void (*)(int, int), "race")(8000, 0);
	assert_int_equal(atomic_load(bad), 0);
	assert_int_equal(atomic_load(removed), 8000);
	assert_int_equal(sum_of("race", NULL, 0).removed, 8000);
}

static void
of_threads_that_add_the_same_one_has_done_it(void **state)
{
	int *opened = wait_symbol("opened"), *refused = wait_symbol("refused");
	char *theirs = wait_symbol("things");
	int i;

	(void)state;
	wait_call(void (*)(int, int), "same")(4000, 0);
	assert_int_equal(*opened, 4000);
	assert_int_equal(*refused, 7 * 4000);
	assert_int_equal(sum_of("same", NULL, 0).live, 4000);
	for (i = 0; i < 4000; i++) {
		assert_int_equal(closes("same", theirs + 15 * 20000 + i), 0);
		assert_refused(closes("same", theirs + 15 * 20000 + i), ENOENT);
	}
	assert_int_equal(sum_of("same", NULL, 0).live, 0);
}

static void
threads_that_name_the_same_share_it(void **state)
{
	int turn;

	for (turn = 0; turn < 50; turn++) {
		(void)begin_anew(state);
		pp_custom_start();
		wait_call(void (*)(int, int), "names")(0, 0);
		assert_int_equal(atomic_load(&wait_slot()->custom.used), 8);
	}
}

/* As when a worker was killed and another takes its slot. */
static void
a_worker_that_starts_holds_nothing(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(opens("conns", &things[0], 0), 0);
	assert_int_equal(opens("conns", &things[1], 0), 0);
	assert_int_equal(closes("conns", &things[1]), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (opens("conns", &things[2], 0) != -1 || errno != ENOTCONN)
			_exit(1);
		pp_self_start(wait_arena, WAIT_SLOT);
		if (sum_of("conns", NULL, 0).live != 0)
			_exit(2);
		if (opens("conns", &things[3], 0) != 0)
			_exit(3);
		_exit(sum_of("conns", NULL, 0).live == 1 ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(sum_of("conns", NULL, 0).live, 1);
	assert_int_equal(sum_of("conns", NULL, 0).added, 3);
}

int
main(void)
{
#define CUSTOM_TEST(name) cmocka_unit_test_setup(name, begin_anew)
	const struct CMUnitTest tests[] = {
		CUSTOM_TEST(what_is_added_is_there_until_it_is_removed),
		CUSTOM_TEST(a_key_is_in_a_profile_once),
		CUSTOM_TEST(the_stack_begins_where_the_caller_wants),
		CUSTOM_TEST(sixteen_names_fit_and_no_bad_one),
		CUSTOM_TEST(names_of_endpoints_are_taken),
		CUSTOM_TEST(a_full_table_is_counted_and_gives_room_again),
		CUSTOM_TEST(many_threads_at_once_lose_nothing),
		CUSTOM_TEST(of_threads_that_remove_the_same_one_has_done_it),
		CUSTOM_TEST(of_threads_that_add_the_same_one_has_done_it),
		CUSTOM_TEST(threads_that_name_the_same_share_it),
		CUSTOM_TEST(a_worker_that_starts_holds_nothing),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
