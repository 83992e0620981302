/*
 * symbol/: which files are opened, believed and known, and what stands in
 * for names where there are none. The names themselves are test_symbols.c's.
 *
 * needs: a core, 3 s
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elfutils/libdwelf.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "fixture.h"
#include "fixture_calls.h"

static void
a_stripped_library_shows_exports_and_offsets(void **state)
{
	struct pp_symbols_file facts;
	struct pp_frame frame[PP_INLINES_MAX];
	struct pp_symbols *s;
	uint64_t hidden;
	char want[64];
	int named;

	(void)state;
	fixture_write("a.c", source);
	fixture_sh("gcc -O2 -g -fPIC -shared -o a.so a.c");
	hidden = fixture_address("a.so", "hidden");
	fixture_sh("strip a.so");
	s = load("a.so");
	assert_string_equal(name_at(s, fixture_address("a.so", "plain") + 1),
	    "plain");
	snprintf(want, sizeof(want), "a.so+0x%llx", (unsigned long long)hidden);
	assert_int_equal(pp_symbols_resolve(s, 0, hidden, frame, &named), 1);
	assert_string_equal(frame[0].function, want);
	assert_string_equal(frame[0].file, "");
	assert_false(named);
	assert_int_equal(pp_symbols_file(s, 0, &facts), 0);
	assert_true(facts.has_symbols);
	assert_false(facts.has_dwarf);
	assert_int_equal(facts.resolved, 1);
	assert_int_equal(facts.unresolved, 1);
	assert_int_equal(pp_symbols_file(s, 1, &facts), -1);
	pp_symbols_free(s);
}

static void
check_separate(const char *where, const char *build_id)
{
	struct pp_frame frame[PP_INLINES_MAX];
	struct pp_symbols_file facts;
	struct pp_symbols *s;
	uint64_t here;
	int named;

	fixture_sh("rm -rf d && mkdir -p d/.debug && "
		   "gcc -O2 -g -fPIC -shared -Wl,--build-id=%s -o d/a.so a.c",
	    build_id);
	here = fixture_address("d/a.so", "here");
	fixture_sh("cd d && objcopy --only-keep-debug a.so %s && strip a.so && "
		   "objcopy --add-gnu-debuglink=%s a.so",
	    where, where);
	s = load("d/a.so");
	assert_int_equal(pp_symbols_file(s, 0, &facts), 0);
	assert_true(facts.has_dwarf);
	assert_int_equal(pp_symbols_resolve(s, 0, here, frame, &named), 3);
	assert_string_equal(frame[0].function, "innermost");
	assert_int_equal(frame[2].line, fixture_line(source, "/*CALL2*/"));
	pp_symbols_free(s);
}

static void
a_separate_debug_file_is_found_and_used(void **state)
{
	(void)state;
	fixture_write("a.c", source);
	check_separate("a.debug", "sha1");
	check_separate(".debug/a.debug", "sha1");
	check_separate(".debug/a.debug", "none");
}

static void
a_debug_file_of_another_build_is_refused(void **state)
{
	int fd, debug;

	(void)state;
	fixture_write("a.c", source);
	check_separate("a.debug", "none");
	fixture_sh("echo x >>d/a.debug");
	fd = pp_symbols_open(fixture_path("d/a.so"), NULL, 0, &debug);
	assert_int_not_equal(fd, -1);
	assert_int_equal(debug, -1);
	close(fd);
	check_separate("a.debug", "sha1");
	fixture_sh("gcc -O1 -g -fPIC -shared -Wl,--build-id=sha1 -o x a.c && "
		   "objcopy --only-keep-debug x d/a.debug");
	fd = pp_symbols_open(fixture_path("d/a.so"), NULL, 0, &debug);
	assert_int_not_equal(fd, -1);
	assert_int_equal(debug, -1);
	close(fd);
}

static void
a_file_that_is_not_the_loaded_one_is_refused(void **state)
{
	static const uint8_t other[20] = { 1, 2, 3 };
	struct pp_symbols *s;
	uint64_t plain;
	int fd, debug;

	(void)state;
	fixture_write("a.c", source);
	fixture_sh("gcc -g -Wl,--build-id=sha1 -o a a.c && mkfifo -m 600 pipe");
	fd = pp_symbols_open(fixture_path("a"), other, sizeof(other), &debug);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, ESTALE);
	assert_int_equal(pp_symbols_open(fixture_path("a.c"), NULL, 0, &debug),
	    -1);
	assert_int_equal(errno, ENOEXEC);
	assert_int_equal(pp_symbols_open(fixture_path("pipe"), NULL, 0, &debug),
	    -1);
	assert_int_equal(pp_symbols_open(fixture_path("none"), NULL, 0, &debug),
	    -1);
	assert_int_equal(errno, ENOENT);
	/* Overwritten in place after it was opened. */
	fixture_sh("gcc -g -Wl,--build-id=none -o a a.c");
	plain = fixture_address("a", "plain");
	s = load("a");
	fixture_sh("echo >>a");
	assert_memory_equal(name_at(s, plain), "a+0x", 4);
	pp_symbols_free(s);
}

static void
the_vdso_is_read_from_memory(void **state)
{
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	struct pp_symbols *s = pp_symbols_new();
	struct pp_frame frame[PP_INLINES_MAX];
	const void *id;
	uint8_t other[20] = { 0 };
	struct pp_symbols_file facts;
	Elf *elf;
	ssize_t len;
	int named, file;
	uint64_t vaddr;

	(void)state;
	if (base == NULL)
		skip();
	elf_version(EV_CURRENT);
	/* Two pages are mapped on every kernel that has one. */
	assert_non_null(elf = elf_memory((char *)(uintptr_t)base, 4096));
	len = dwelf_elf_gnu_build_id(elf, &id);
	assert_in_range(len, 8, PP_BUILD_ID_MAX);
	file = pp_symbols_add(s, id, (uint32_t)len, "linux-vdso.so.1", -1, -1);
	assert_int_equal(pp_symbols_file(s, file, &facts), 0);
	assert_true(facts.has_symbols);
	for (vaddr = 0, named = 0; vaddr < 8192 && !named; vaddr++)
		pp_symbols_resolve(s, file, vaddr, frame, &named);
	assert_true(named);
	assert_non_null(strstr(frame[0].function, "__vdso_"));
	file = pp_symbols_add(s, other, sizeof(other), "[vdso]", -1, -1);
	pp_symbols_resolve(s, file, vaddr, frame, &named);
	assert_false(named);
	assert_memory_equal(frame[0].function, "[vdso]+0x", 9);
	elf_end(elf);
	pp_symbols_free(s);
}

static void
files_are_known_by_build_id_else_by_name(void **state)
{
	static const uint8_t id[3] = { 1, 2, 3 }, id2[3] = { 1, 2, 4 };
	struct pp_symbols *s = pp_symbols_new();
	char name[32];
	int i, fd;

	(void)state;
	assert_int_equal(pp_symbols_add(s, id, 3, "x", -1, -1), 0);
	assert_int_equal(pp_symbols_add(s, id2, 3, "x", -1, -1), 1);
	assert_int_equal(pp_symbols_add(s, NULL, 0, "x", -1, -1), 2);
	assert_int_equal(pp_symbols_add(s, id, 3, "y", -1, -1), 0);
	assert_int_equal(pp_symbols_find(s, id2, 3, "z"), 1);
	assert_int_equal(pp_symbols_find(s, NULL, 0, "z"), -1);
	assert_int_equal(pp_symbols_find(s, id, 2, "x"), -1);
	for (i = 3; i < PP_OBJECTS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(pp_symbols_add(s, NULL, 0, name, -1, -1), i);
	}
	fd = dup(0);
	assert_int_equal(pp_symbols_add(s, NULL, 0, "more", fd, -1), -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	pp_symbols_free(s);
}

static void
an_answer_without_the_file_is_replaced_when_it_comes(void **state)
{
	struct pp_symbols *s = pp_symbols_new();
	uint64_t outer;
	int fd, debug;

	(void)state;
	fixture_write("a.c", source);
	fixture_sh("gcc -O2 -g -Wl,--build-id=none -o a a.c");
	outer = fixture_address("a", "outer");
	assert_int_equal(pp_symbols_add(s, NULL, 0, "a", -1, -1), 0);
	assert_memory_equal(name_at(s, outer), "a+0x", 4);
	fd = pp_symbols_open(fixture_path("a"), NULL, 0, &debug);
	assert_int_equal(pp_symbols_add(s, NULL, 0, "a", fd, debug), 0);
	assert_string_equal(name_at(s, outer), "outer");
	pp_symbols_free(s);
}

static void
nothing_is_opened_once_the_files_are_known(void **state)
{
	struct rlimit limit, none;
	struct pp_symbols *s;
	uint64_t plain;
	int fd, debug;

	(void)state;
	fixture_write("a.c", source);
	fixture_sh("gcc -O2 -g -gz=zlib -Wl,--build-id=none -o a a.c && "
		   "objcopy --only-keep-debug a a.debug && strip a && "
		   "objcopy --add-gnu-debuglink=a.debug a");
	plain = fixture_address("a.debug", "plain");
	s = pp_symbols_new();
	fd = pp_symbols_open(fixture_path("a"), NULL, 0, &debug);
	assert_int_not_equal(debug, -1);
	assert_int_equal(pp_symbols_add(s, NULL, 0, "a", fd, debug), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(open("/dev/null", O_RDONLY), -1);
	assert_string_equal(name_at(s, plain), "plain");
	pp_symbols_trim(s);
	assert_string_equal(name_at(s, plain + 1), "plain");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	pp_symbols_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stripped_library_shows_exports_and_offsets),
		cmocka_unit_test(a_separate_debug_file_is_found_and_used),
		cmocka_unit_test(a_debug_file_of_another_build_is_refused),
		cmocka_unit_test(a_file_that_is_not_the_loaded_one_is_refused),
		cmocka_unit_test(the_vdso_is_read_from_memory),
		cmocka_unit_test(files_are_known_by_build_id_else_by_name),
		cmocka_unit_test(
		    an_answer_without_the_file_is_replaced_when_it_comes),
		cmocka_unit_test(nothing_is_opened_once_the_files_are_known),
	};

	return (cmocka_run_group_tests(tests, fixture_setup, fixture_teardown));
}
