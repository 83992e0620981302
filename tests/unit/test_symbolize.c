/*
 * symbol/symbolize.c: the lines, flags and the comment that it gives to a
 * profile. Whether names are right is test_symbols.c's.
 *
 * needs: a core, 3 s
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"
#include "symbol/symbolize.h"

static const char source[] = "volatile int sink;\n"
			     "static __attribute__((noinline)) int\n"
			     "hidden(int x)\n"
			     "{\n"
			     "	return (x * sink);\n"
			     "}\n"
			     "int shown(int x) { return hidden(x) + 1; }\n";

#define BIAS 0x7f0000000000ULL

struct world {
	struct pp_address_map *map;
	struct pp_symbols *symbols;
	struct pp_profile *profile;
	uint64_t bias[2];
	uint32_t mapping[2];
};

static void
world_object(struct world *w, int number, const char *name)
{
	struct pp_mapping mapping = { .file = name, .build_id = "" };
	const struct pp_address_mapping *mapped;
	struct pp_object object;
	int fd, debug;

	memset(&object, 0, sizeof(object));
	snprintf(object.name, sizeof(object.name), "%s", fixture_path(name));
	object.name_len = (uint32_t)strlen(object.name);
	object.bias = BIAS + (uint64_t)number * 0x10000000;
	object.start = object.bias + 0x1000;
	object.limit = object.bias + 0x2000;
	mapped =
	    pp_address_map_get(w->map, pp_address_map_add(w->map, &object));
	assert_non_null(mapped);
	w->bias[number] = mapped->bias;
	mapping.start = mapped->start;
	mapping.limit = mapped->limit;
	w->mapping[number] = pp_profile_mapping(w->profile, &mapping);
	fd = pp_symbols_open(object.name, NULL, 0, &debug);
	if (fd != -1)
		assert_in_range(pp_symbols_add(w->symbols, NULL, 0, object.name,
				    fd, debug),
		    0, 1);
}

static struct world
world_make(void)
{
	struct world w;

	fixture_write("s.c", source);
	fixture_sh("gcc -O2 -g -fPIC -shared -o s.so s.c && cp s.so t.so && "
		   "strip t.so");
	w.map = pp_address_map_new();
	w.symbols = pp_symbols_new();
	w.profile = pp_profile_new();
	w.profile->value_types = 1;
	world_object(&w, 0, "s.so");
	world_object(&w, 1, "t.so");
	return (w);
}

static void
world_free(struct world *w)
{
	pp_profile_free(w->profile);
	pp_symbols_free(w->symbols);
	pp_address_map_free(w->map);
}

/* A sample of one location in `number`'s function. */
static uint32_t
world_sample(struct world *w, int number, const char *function)
{
	static const int64_t value[PP_VALUES_MAX] = { 1 };
	uint32_t id;

	id = pp_profile_location(w->profile,
	    w->bias[number] + fixture_address("s.so", function),
	    w->mapping[number]);
	pp_profile_sample(w->profile, value);
	pp_profile_push(w->profile, id);
	return (id);
}

static void
assert_comment(const struct pp_profile *p, const char *comment)
{
	assert_int_equal(p->comments, 1);
	assert_string_equal(p->comment[0], comment);
}

static const struct pp_function *
function_of(const struct pp_profile *p, uint32_t location)
{
	const struct pp_location *l = &p->location[location - 1];

	assert_int_equal(l->lines, 1);
	return (&p->function[p->line[l->first_line].function - 1]);
}

static void
all_flags_are_set_where_all_is_known(void **state)
{
	struct world w = world_make();
	struct pp_profile *p = w.profile;
	uint32_t shown, hidden;

	(void)state;
	shown = world_sample(&w, 0, "shown");
	hidden = world_sample(&w, 0, "hidden");
	pp_symbolize(p, w.map, w.symbols);
	assert_false(p->failed);
	assert_comment(p, "symbols_unresolved=0");
	assert_string_equal(function_of(p, shown)->name, "shown");
	assert_string_equal(function_of(p, hidden)->name, "hidden");
	assert_string_equal(function_of(p, hidden)->file, fixture_path("s.c"));
	assert_int_equal(function_of(p, hidden)->start_line, 3);
	assert_int_equal(p->line[p->location[shown - 1].first_line].line, 7);
	assert_true(p->mapping[0].has_functions);
	assert_true(p->mapping[0].has_filenames);
	assert_true(p->mapping[0].has_line_numbers);
	assert_true(p->mapping[0].has_inline_frames);
	/* Nothing of it was used, so nothing is claimed. */
	assert_false(p->mapping[1].has_functions);
	world_free(&w);
}

static void
one_unknown_function_takes_the_flag_but_not_the_names(void **state)
{
	struct world w = world_make();
	struct pp_profile *p = w.profile;
	uint32_t shown, hidden;
	char want[64];

	(void)state;
	shown = world_sample(&w, 1, "shown");
	pp_symbolize(p, w.map, w.symbols);
	assert_true(p->mapping[1].has_functions);
	assert_false(p->mapping[1].has_filenames);
	assert_false(p->mapping[1].has_line_numbers);
	assert_false(p->mapping[1].has_inline_frames);
	hidden = world_sample(&w, 1, "hidden");
	pp_symbolize(p, w.map, w.symbols);
	assert_false(p->mapping[1].has_functions);
	assert_string_equal(function_of(p, shown)->name, "shown");
	snprintf(want, sizeof(want), "t.so+0x%llx",
	    (unsigned long long)fixture_address("s.so", "hidden"));
	assert_string_equal(function_of(p, hidden)->name, want);
	assert_int_equal(p->comments, 2);
	assert_string_equal(p->comment[0], "symbols_unresolved=0");
	assert_string_equal(p->comment[1], "symbols_unresolved=1");
	world_free(&w);
}

static void
lines_that_are_there_are_left_alone(void **state)
{
	struct world w = world_make();
	struct pp_profile *p = w.profile;
	struct pp_line line = { 0, 42 };
	uint32_t shown;

	(void)state;
	shown = world_sample(&w, 0, "shown");
	line.function = pp_profile_function(p, "mine", "mine.c", 1);
	pp_profile_lines(p, shown, &line, 1);
	pp_symbolize(p, w.map, w.symbols);
	assert_string_equal(function_of(p, shown)->name, "mine");
	assert_comment(p, "symbols_unresolved=0");
	assert_true(p->mapping[0].has_functions);
	world_free(&w);
}

static void
what_has_no_place_or_no_file_is_counted(void **state)
{
	static const int64_t value[PP_VALUES_MAX] = { 1 };
	struct world w = world_make();
	struct pp_profile *p = w.profile;
	struct pp_object object;
	uint32_t nowhere, gone, unused;
	int mapped;

	(void)state;
	memset(&object, 0, sizeof(object));
	strcpy(object.name, "/opt/gone.so");
	object.name_len = 12;
	object.bias = object.start = 0x1000000;
	object.limit = 0x1001000;
	mapped = pp_address_map_add(w.map, &object);
	nowhere = pp_profile_location(p, 0x10, 0);
	gone = pp_profile_location(p,
	    pp_address_map_get(w.map, mapped)->bias + 0x20, 0);
	unused = pp_profile_location(p,
	    w.bias[0] + fixture_address("s.so", "shown"), w.mapping[0]);
	pp_profile_sample(p, value);
	pp_profile_push(p, nowhere);
	pp_profile_push(p, gone);
	pp_symbolize(p, w.map, w.symbols);
	assert_comment(p, "symbols_unresolved=2");
	assert_int_equal(p->location[nowhere - 1].lines, 0);
	assert_string_equal(function_of(p, gone)->name, "gone.so+0x20");
	assert_int_equal(p->location[unused - 1].lines, 0);
	assert_false(p->mapping[0].has_functions);
	world_free(&w);
}

static void
split_dwarf_gives_lines_but_claims_no_inlines(void **state)
{
	struct world w = world_make();
	struct pp_profile *p = w.profile;
	uint32_t shown;

	(void)state;
	pp_symbols_free(w.symbols);
	w.symbols = pp_symbols_new();
	fixture_sh("gcc -O2 -g -gsplit-dwarf -fPIC -shared -o s.so s.c");
	world_object(&w, 0, "s.so");
	shown = world_sample(&w, 0, "shown");
	pp_symbolize(p, w.map, w.symbols);
	assert_string_equal(function_of(p, shown)->name, "shown");
	assert_int_equal(p->line[p->location[shown - 1].first_line].line, 7);
	assert_true(p->mapping[0].has_functions);
	assert_true(p->mapping[0].has_line_numbers);
	assert_false(p->mapping[0].has_inline_frames);
	world_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_flags_are_set_where_all_is_known),
		cmocka_unit_test(
		    one_unknown_function_takes_the_flag_but_not_the_names),
		cmocka_unit_test(lines_that_are_there_are_left_alone),
		cmocka_unit_test(what_has_no_place_or_no_file_is_counted),
		cmocka_unit_test(split_dwarf_gives_lines_but_claims_no_inlines),
	};

	return (cmocka_run_group_tests(tests, fixture_setup, fixture_teardown));
}
