/*
 * symbol/: names, files, lines and inlines of programs compiled here, against
 * what is known of their source and against addr2line. Which files are read
 * is test_symbols_files.c's, broken ones are test_symbols_hostile.c's.
 *
 * needs: a core, 12 s
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"
#include "fixture_calls.h"
#include "symbol/cache.h"
#include "symbol/symbols.h"

static void
check_here(const char *name)
{
	const char *file = fixture_path("a.c");
	struct pp_frame frame[PP_INLINES_MAX];
	struct pp_symbols *s = load(name);
	int named;

	assert_int_equal(pp_symbols_resolve(s, 0, fixture_address(name, "here"),
			     frame, &named),
	    3);
	assert_true(named);
	assert_string_equal(frame[0].function, "innermost");
	assert_int_equal(frame[0].line, fixture_line(source, "/*AT*/"));
	assert_string_equal(frame[1].function, "middle");
	assert_int_equal(frame[1].line, fixture_line(source, "/*CALL1*/"));
	assert_string_equal(frame[2].function, "outer");
	assert_int_equal(frame[2].line, fixture_line(source, "/*CALL2*/"));
	assert_int_equal(frame[2].start_line,
	    fixture_line(source, "/*OUTER*/"));
	assert_string_equal(frame[0].file, file);
	assert_string_equal(frame[1].file, file);
	assert_string_equal(frame[2].file, file);
	pp_symbols_free(s);
}

static const char *const variant[] = { "gcc -O2 -gdwarf-4 -fPIE -pie",
	"gcc -O2 -gdwarf-5 -fPIE -pie", "gcc -O2 -gdwarf-5 -no-pie -fno-pie",
	"gcc -O0 -g",
	"gcc -O2 -g -gz=zlib -ffunction-sections -Wl,--gc-sections",
	"clang -O2 -gdwarf-4", "clang -O2 -gdwarf-5", "gcc -O3 -g -flto" };
#define VARIANTS (sizeof(variant) / sizeof(variant[0]))

static int
compiled(size_t i, const char *out)
{
	if (strncmp(variant[i], "clang", 5) == 0 &&
	    system("command -v clang >/dev/null") != 0)
		return (0);
	fixture_sh("%s -w -o %s a.c", variant[i], out);
	return (1);
}

static void
inlined_calls_come_innermost_first_with_their_lines(void **state)
{
	size_t i;

	(void)state;
	fixture_write("a.c", source);
	for (i = 0; i < VARIANTS; i++) {
		if (compiled(i, "a"))
			check_here("a");
	}
}

/* One answer of addr2line -f -i against ours. */
static void
compare_frames(FILE *tool, struct pp_symbols *s, uint64_t vaddr)
{
	struct pp_frame frame[PP_INLINES_MAX];
	char line[512], want[700], got[700];
	uint32_t frames, i;
	int named;

	frames = pp_symbols_resolve(s, 0, vaddr, frame, &named);
	for (i = 0; i < frames; i++) {
		assert_non_null(fgets(line, sizeof(line), tool));
		line[strcspn(line, "\n")] = '\0';
		snprintf(want, sizeof(want), "%llx %s",
		    (unsigned long long)vaddr, line);
		snprintf(got, sizeof(got), "%llx %s", (unsigned long long)vaddr,
		    frame[i].function);
		assert_string_equal(got, want);
		assert_non_null(fgets(line, sizeof(line), tool));
		line[strcspn(line, " \n")] = '\0';
		snprintf(got, sizeof(got), "%s:%d", frame[i].file,
		    frame[i].line);
		if (strstr(line, ":?") == NULL)
			assert_string_equal(got, line);
		else
			assert_int_equal(frame[i].line, 0);
	}
}

/* Every byte of a function, as addr2line sees it. */
static void
compare_function(const char *name, const char *function, uint32_t bytes)
{
	uint64_t start = fixture_address(name, function), i;
	struct pp_symbols *s = load(name);
	char command[4096], line[64];
	size_t len;
	FILE *tool;

	len = (size_t)snprintf(command, sizeof(command),
	    "addr2line -a -f -i -e %s", fixture_path(name));
	for (i = 0; i < bytes; i++)
		len += (size_t)snprintf(command + len, sizeof(command) - len,
		    " 0x%llx", (unsigned long long)(start + i));
	assert_in_range(len, 1, sizeof(command) - 1);
	assert_non_null(tool = popen(command, "r"));
	for (i = 0; i < bytes; i++) {
		assert_non_null(fgets(line, sizeof(line), tool));
		assert_int_equal(strtoull(line, NULL, 16), start + i);
		compare_frames(tool, s, start + i);
	}
	assert_null(fgets(line, sizeof(line), tool));
	pclose(tool);
	pp_symbols_free(s);
}

static void
every_address_agrees_with_addr2line(void **state)
{
	size_t i;

	(void)state;
	fixture_write("a.c", source);
	for (i = 0; i < VARIANTS; i++) {
		if (strstr(variant[i], "-flto") != NULL || !compiled(i, "a"))
			continue;
		compare_function("a", "outer", 40);
		compare_function("a", "hidden", 20);
		compare_function("a", "main", 12);
	}
}

static void
a_static_function_is_named(void **state)
{
	struct pp_symbols *s;

	(void)state;
	fixture_write("a.c", source);
	fixture_sh("gcc -O2 -g -o a a.c && gcc -O2 -o nodebug a.c");
	s = load("a");
	assert_string_equal(name_at(s, fixture_address("a", "hidden") + 3),
	    "hidden");
	pp_symbols_free(s);
	s = load("nodebug");
	assert_string_equal(name_at(s,
				fixture_address("nodebug", "hidden") + 3),
	    "hidden");
	/* A label inside a function that has a size is not a function. */
	assert_string_equal(name_at(s, fixture_address("nodebug", "here")),
	    "outer");
	pp_symbols_free(s);
}

static void
assembler_symbols_without_size_reach_to_the_next(void **state)
{
	struct pp_symbols *s;
	uint64_t one;

	(void)state;
	fixture_write("b.s",
	    ".text\n.globl one\none: nop\n nop\n nop\n"
	    ".globl two\ntwo: nop\n"
	    ".globl strong\n.weak weak\n.type strong, @function\n"
	    ".type weak, @function\n.type _local, @function\n"
	    "_local: weak: strong: nop\n nop\n"
	    ".size strong, 2\n.size weak, 2\n.size _local, 2\n");
	fixture_sh("gcc -shared -nostdlib -o b.so b.s");
	s = load("b.so");
	one = fixture_address("b.so", "one");
	assert_string_equal(name_at(s, one), "one");
	assert_string_equal(name_at(s, one + 2), "one");
	assert_string_equal(name_at(s, one + 3), "two");
	assert_string_equal(name_at(s, one + 4), "strong");
	assert_string_equal(name_at(s, one + 5), "strong");
	assert_memory_equal(name_at(s, one + 6), "b.so+0x", 7);
	assert_memory_equal(name_at(s, one - 1), "b.so+0x", 7);
	pp_symbols_free(s);
	fixture_sh("gcc -g -shared -nostdlib -o b.so b.s");
	compare_function("b.so", "one", 3);
}

static void
an_ifunc_and_its_choice_have_their_own_names(void **state)
{
	struct pp_symbols *s;

	(void)state;
	fixture_write("c.c",
	    "static int fast(void) { return 1; }\n"
	    "static int (*choose(void))(void) { return fast; }\n"
	    "int work(void) __attribute__((ifunc(\"choose\")));\n");
	fixture_sh("gcc -O2 -fPIC -shared -o c.so c.c");
	s = load("c.so");
	assert_string_equal(name_at(s, fixture_address("c.so", "fast")),
	    "fast");
	assert_string_equal(name_at(s, fixture_address("c.so", "work")),
	    "work");
	pp_symbols_free(s);
}

static void
a_trim_changes_no_answer(void **state)
{
	struct pp_symbols *s;
	uint64_t outer, i;

	(void)state;
	fixture_write("a.c", source);
	fixture_sh("gcc -O2 -g -o a a.c");
	outer = fixture_address("a", "outer");
	s = load("a");
	for (i = 0; i < 8; i++) {
		assert_string_equal(name_at(s, outer + i), "outer");
		pp_symbols_trim(s);
		assert_string_equal(name_at(s, outer + i), "outer");
	}
	pp_symbols_free(s);
}

static void
the_cache_gives_back_what_was_put_and_has_an_end(void **state)
{
	struct pp_cache *c = pp_cache_new();
	struct pp_frame frame[PP_INLINES_MAX], got[PP_INLINES_MAX];
	char text[64];
	uint32_t n;
	int named;

	(void)state;
	memset(frame, 0, sizeof(frame));
	assert_ptr_equal(pp_cache_text(c, "ab"), pp_cache_text(c, "ab"));
	for (n = 0; pp_cache_has_room(c); n++) {
		assert_in_range(n, 0, PP_CACHE_ANSWERS_MAX);
		snprintf(text, sizeof(text), "function %u", n);
		frame[0].function = pp_cache_text(c, text);
		frame[0].file = "";
		frame[0].line = (int32_t)n;
		pp_cache_put(c, (int)(n % 7), n / 7, frame, 1 + n % 3, n & 1);
	}
	while (n-- > 0) {
		assert_int_equal(pp_cache_get(c, (int)(n % 7), n / 7, got,
				     &named),
		    1 + n % 3);
		snprintf(text, sizeof(text), "function %u", n);
		assert_string_equal(got[0].function, text);
		assert_int_equal(named, n & 1);
	}
	pp_cache_empty(c);
	assert_int_equal(pp_cache_get(c, 0, 0, got, &named), 0);
	assert_true(pp_cache_has_room(c));
	pp_cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    inlined_calls_come_innermost_first_with_their_lines),
		cmocka_unit_test(every_address_agrees_with_addr2line),
		cmocka_unit_test(a_static_function_is_named),
		cmocka_unit_test(
		    assembler_symbols_without_size_reach_to_the_next),
		cmocka_unit_test(an_ifunc_and_its_choice_have_their_own_names),
		cmocka_unit_test(a_trim_changes_no_answer),
		cmocka_unit_test(
		    the_cache_gives_back_what_was_put_and_has_an_end),
	};

	return (cmocka_run_group_tests(tests, fixture_setup, fixture_teardown));
}
