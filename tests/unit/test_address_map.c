/*
 * Tests of merge/address_map.c: one address space for all processes, for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu_fixture.h"

static void
a_file_keeps_the_addresses_at_which_it_was_first_loaded(void **state)
{
	struct pp_address_map *map = pp_address_map_new();
	struct pp_object object = fixture_object("/a", EXE_START, 1);
	const struct pp_address_mapping *mapping;
	int number = 99;

	(void)state;
	assert_int_equal(pp_address_map_add(map, &object), 0);
	mapping = pp_address_map_find(map, EXE_START + 5, &number);
	assert_non_null(mapping);
	assert_int_equal(number, 0);
	assert_ptr_equal(mapping, pp_address_map_get(map, 0));
	assert_int_equal(mapping->start, EXE_START);
	assert_int_equal(mapping->limit, EXE_START + SEGMENT);
	assert_int_equal(mapping->bias, object.bias);
	assert_null(pp_address_map_find(map, EXE_START - 1, NULL));
	assert_null(pp_address_map_find(map, EXE_START + SEGMENT, NULL));
	assert_null(pp_address_map_get(map, 1));
	assert_null(pp_address_map_get(map, -1));
	pp_address_map_free(map);
}

static void
the_same_file_elsewhere_has_the_same_place(void **state)
{
	struct pp_address_map *map = pp_address_map_new();
	struct pp_object here = fixture_object("/a", EXE_START, 1);
	struct pp_object there = fixture_object("/other/name", LIBC_START, 1);

	(void)state;
	assert_int_equal(pp_address_map_add(map, &here), 0);
	assert_int_equal(pp_address_map_add(map, &there), 0);
	assert_int_equal(pp_address_map_add(map, &here), 0);
	assert_null(pp_address_map_find(map, LIBC_START, NULL));
	pp_address_map_free(map);
}

static void
another_file_at_the_same_addresses_moves_far_above(void **state)
{
	struct pp_address_map *map = pp_address_map_new();
	struct pp_object a = fixture_object("/a", EXE_START + 0x10, 1);
	struct pp_object b = fixture_object("/b", EXE_START + 0x20, 2);
	const struct pp_address_mapping *mapping;

	(void)state;
	assert_int_equal(pp_address_map_add(map, &a), 0);
	assert_int_equal(pp_address_map_add(map, &b), 1);
	mapping = pp_address_map_get(map, 1);
	assert_true(mapping->start >= 1ULL << 48);
	assert_int_equal(mapping->start % 4096, b.start % 4096);
	assert_int_equal(mapping->limit - mapping->start, SEGMENT);
	/* The same byte of the file, by its own address. */
	assert_int_equal(mapping->start - mapping->bias, b.start - b.bias);
	pp_address_map_free(map);
}

static void
a_module_without_build_id_that_was_built_anew_is_another_file(void **state)
{
	struct pp_address_map *map = pp_address_map_new();
	struct pp_object before = fixture_object("/app.so", LIBC_START, 0);
	struct pp_object after = fixture_object("/app.so", LIBC_START, 0);

	(void)state;
	after.limit += 4096;
	assert_int_equal(pp_address_map_add(map, &before), 0);
	assert_int_equal(pp_address_map_add(map, &after), 1);
	assert_int_equal(pp_address_map_add(map, &before), 0);
	pp_address_map_free(map);
}

static void
addresses_that_cannot_be_are_refused_or_moved(void **state)
{
	struct pp_address_map *map = pp_address_map_new();
	struct pp_object object = fixture_object("/a", EXE_START, 1);

	(void)state;
	object.limit = object.start;
	assert_int_equal(pp_address_map_add(map, &object), -1);
	object.limit = object.start - 1;
	assert_int_equal(pp_address_map_add(map, &object), -1);
	object.limit = UINT64_MAX;
	assert_int_equal(pp_address_map_add(map, &object), -1);
	object = fixture_object("/b", 0xffffffffff600000ULL, 2);
	object.limit = object.start + 4096;
	assert_int_equal(pp_address_map_add(map, &object), 0);
	assert_true(pp_address_map_get(map, 0)->limit < 1ULL << 56);
	object = fixture_object("/c", 0, 3);
	object.bias = 0;
	assert_int_equal(pp_address_map_add(map, &object), 1);
	assert_true(pp_address_map_get(map, 1)->start != 0);
	pp_address_map_free(map);
}

/* Many files, all of them where the first one is, or half over it. */
static void
places_never_overlap_never_move_and_end_at_the_bound(void **state)
{
	struct pp_address_map *map = pp_address_map_new();
	static uint64_t start[PP_MAPPINGS_MAX];
	const struct pp_address_mapping *mapping, *other;
	struct pp_object object;
	char name[32];
	int i, number;

	(void)state;
	for (i = 0; i < PP_MAPPINGS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "/file-%d", i);
		object = fixture_object(name,
		    EXE_START + (uint64_t)(i % 7) * (SEGMENT / 2), 0);
		assert_int_equal(pp_address_map_add(map, &object), i);
		start[i] = pp_address_map_get(map, i)->start;
	}
	object = fixture_object("/one-too-many", LIBC_START, 0);
	assert_int_equal(pp_address_map_add(map, &object), -1);
	for (i = 0; i < PP_MAPPINGS_MAX; i++) {
		mapping = pp_address_map_get(map, i);
		assert_int_equal(mapping->start, start[i]);
		other = pp_address_map_find(map, mapping->start, &number);
		assert_int_equal(number, i);
		assert_ptr_equal(other, mapping);
		other = pp_address_map_find(map, mapping->limit - 1, &number);
		assert_ptr_equal(other, mapping);
	}
	pp_address_map_free(map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_file_keeps_the_addresses_at_which_it_was_first_loaded),
		cmocka_unit_test(the_same_file_elsewhere_has_the_same_place),
		cmocka_unit_test(
		    another_file_at_the_same_addresses_moves_far_above),
		cmocka_unit_test(
		    a_module_without_build_id_that_was_built_anew_is_another_file),
		cmocka_unit_test(addresses_that_cannot_be_are_refused_or_moved),
		cmocka_unit_test(
		    places_never_overlap_never_move_and_end_at_the_bound),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
