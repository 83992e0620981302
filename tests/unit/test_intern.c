/*
 * store/words and store/objects: the tables that only grow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/intern.h"
#include "store/objects.h"

static struct pp_label_table *table;
static struct pp_intern_table view;

static int
setup(void **state)
{
	(void)state;
	table = calloc(1, sizeof(*table));
	view = pp_intern_labels(table);
	return (table == NULL);
}

static int
teardown(void **state)
{
	(void)state;
	free(table);
	return (0);
}

static void
the_same_sequence_has_the_same_id(void **state)
{
	uint64_t a[3] = { 1, 2, 3 }, b[3] = { 1, 2, 4 }, out[3];
	uint32_t id;

	(void)state;
	id = pp_intern_put(&view, a, 3);
	assert_int_not_equal(id, 0);
	assert_int_equal(pp_intern_put(&view, a, 3), id);
	assert_int_not_equal(pp_intern_put(&view, b, 3), id);
	assert_int_not_equal(pp_intern_put(&view, a, 2), id);
	assert_int_equal(pp_intern_read(&view, id, out, 3), 3);
	assert_memory_equal(a, out, sizeof(a));
}

static void
a_full_table_gives_0_and_keeps_what_it_has(void **state)
{
	uint64_t word[16] = { 0 };
	uint32_t first, stored = 0, id;

	(void)state;
	first = pp_intern_put(&view, word, 16);
	for (word[0] = 1; word[0] < 10 * PP_LABEL_WORDS; word[0]++) {
		id = pp_intern_put(&view, word, 16);
		assert_true(id < PP_LABEL_WORDS);
		stored += id != 0;
	}
	assert_true(stored > PP_LABEL_INDEX / 2);
	assert_true(stored < PP_LABEL_INDEX);
	word[0] = 0;
	assert_int_equal(pp_intern_put(&view, word, 16), first);
}

static void *
put_all(void *arg)
{
	uint32_t *ids = arg;
	uint64_t word[4];
	uint64_t i;

	for (i = 0; i < 500; i++) {
		word[0] = word[1] = word[2] = word[3] = i;
		ids[i] = pp_intern_put(&view, word, 1 + i % 4);
	}
	return (NULL);
}

static void
threads_at_once_agree_on_the_ids(void **state)
{
	static uint32_t ids[4][500];
	pthread_t thread[4];
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, put_all,
				     ids[i]),
		    0);
	for (i = 0; i < 4; i++)
		(void)pthread_join(thread[i], NULL);
	for (i = 1; i < 4; i++)
		assert_memory_equal(ids[0], ids[i], sizeof(ids[0]));
	assert_int_not_equal(ids[0][499], 0);
}

static void
a_reader_believes_no_id_and_no_length(void **state)
{
	uint64_t word[4] = { 5, 6, 7, 8 }, out[4];
	uint32_t id;

	(void)state;
	id = pp_intern_put(&view, word, 4);
	assert_int_equal(pp_intern_read(&view, 0, out, 4), 0);
	assert_int_equal(pp_intern_read(&view, UINT32_MAX, out, 4), 0);
	assert_int_equal(pp_intern_read(&view, PP_LABEL_WORDS, out, 4), 0);
	assert_int_equal(pp_intern_read(&view, PP_LABEL_WORDS - 1, out, 4), 0);
	assert_int_equal(pp_intern_read(&view, id, out, 3), 0);
	table->words[id] = UINT32_MAX;
	assert_int_equal(pp_intern_read(&view, id, out, 4), 0);
}

static struct pp_object
object(const char *name, uint64_t bias, const char *build_id)
{
	struct pp_object o;

	memset(&o, 0, sizeof(o));
	o.bias = bias;
	o.start = bias + 0x1000;
	o.limit = bias + 0x5000;
	o.build_id_len = (uint32_t)strlen(build_id);
	memcpy(o.build_id, build_id, o.build_id_len);
	o.name_len = (uint32_t)strlen(name);
	(void)strcpy(o.name, name);
	return (o);
}

static void
an_object_that_comes_back_is_the_same_entry(void **state)
{
	struct pp_objects *objects = calloc(1, sizeof(*objects));
	struct pp_object a = object("/a.so", 0x10000, "aaaa");
	struct pp_object b = object("/a.so", 0x10000, "bbbb"), out;
	int fresh;

	(void)state;
	assert_int_equal(pp_objects_add(objects, &a, &fresh), 0);
	assert_int_equal(fresh, 1);
	pp_objects_retire(objects, 0);
	assert_int_equal(pp_objects_read(objects, 0, &out), 0);
	assert_int_equal(out.state, PP_OBJECT_RETIRED);
	assert_int_equal(pp_objects_add(objects, &a, &fresh), 0);
	assert_int_equal(fresh, 0);
	assert_int_equal(pp_objects_read(objects, 0, &out), 0);
	assert_int_equal(out.state, PP_OBJECT_LIVE);
	/* Rebuilt: the same name at the same place is another file. */
	assert_int_equal(pp_objects_add(objects, &b, &fresh), 1);
	assert_int_equal(fresh, 1);
	/* The first again, in a later process: a reader would name its code by
	 * the second, which stands behind it. */
	assert_int_equal(pp_objects_add(objects, &a, &fresh), 2);
	assert_int_equal(pp_objects_add(objects, &a, &fresh), 2);
	assert_int_equal(fresh, 0);
	free(objects);
}

static void
a_full_object_table_says_so(void **state)
{
	struct pp_objects *objects = calloc(1, sizeof(*objects));
	struct pp_object o;
	int i, fresh;

	(void)state;
	for (i = 0; i < PP_OBJECTS_MAX; i++) {
		o = object("/a.so", 0x10000 * (uint64_t)(i + 1), "aaaa");
		assert_int_equal(pp_objects_add(objects, &o, &fresh), i);
	}
	o = object("/b.so", 0x10000, "bbbb");
	assert_int_equal(pp_objects_add(objects, &o, &fresh), -1);
	free(objects);
}

static void
a_lying_object_is_not_read(void **state)
{
	struct pp_objects *objects = calloc(1, sizeof(*objects));
	struct pp_object a = object("/a.so", 0x10000, "aaaa"), out;
	int fresh;

	(void)state;
	assert_int_equal(pp_objects_read(objects, 0, &out), -1);
	assert_int_equal(pp_objects_add(objects, &a, &fresh), 0);
	objects->object[0].name_len = PP_OBJECT_NAME_MAX;
	assert_int_equal(pp_objects_read(objects, 0, &out), -1);
	objects->object[0].name_len = 3;
	objects->object[0].name[3] = 'x';
	assert_int_equal(pp_objects_read(objects, 0, &out), 0);
	assert_string_equal(out.name, "/a.");
	objects->object[0].build_id_len = PP_BUILD_ID_MAX + 1;
	assert_int_equal(pp_objects_read(objects, 0, &out), -1);
	objects->object[0].build_id_len = 4;
	objects->object[0].limit = objects->object[0].start;
	assert_int_equal(pp_objects_read(objects, 0, &out), -1);
	atomic_store(&objects->used, UINT32_MAX);
	assert_int_equal(pp_objects_read(objects, UINT32_MAX - 1, &out), -1);
	assert_int_equal(pp_objects_read(objects, PP_OBJECTS_MAX - 1, &out),
	    -1);
	free(objects);
}

int
main(void)
{
#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TABLE_TEST(the_same_sequence_has_the_same_id),
		TABLE_TEST(a_full_table_gives_0_and_keeps_what_it_has),
		TABLE_TEST(threads_at_once_agree_on_the_ids),
		TABLE_TEST(a_reader_believes_no_id_and_no_length),
		cmocka_unit_test(an_object_that_comes_back_is_the_same_entry),
		cmocka_unit_test(a_full_object_table_says_so),
		cmocka_unit_test(a_lying_object_is_not_read),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
