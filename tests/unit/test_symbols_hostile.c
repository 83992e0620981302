/*
 * symbol/: files that are broken, by chance or on purpose. Whatever they
 * hold, there is an answer, in bounded time; the alarm ends the test else.
 *
 * needs: a core, 3 s
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gelf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fixture.h"
#include "symbol/symbols.h"

#ifndef ROUNDS
#ifdef PP_SANITIZED
#define ROUNDS 150 /* each is slower */
#else
#define ROUNDS 500
#endif
#endif
#ifndef SECONDS_MAX
#define SECONDS_MAX 120
#endif

static const char source[] =
    "volatile int sink;\n"
    "static inline __attribute__((always_inline)) int\n"
    "in(int x) { return x * sink; }\n"
    "static inline __attribute__((always_inline)) int\n"
    "deep(int x) { int i; for (i = 0; i < x; i++) sink += in(i);\n"
    "	return in(sink); }\n"
    "struct s { int a; union { int b; char c[8]; } u; };\n"
    "int one(struct s *s) { return deep(s->a) + in(s->u.b); }\n"
    "int two(int x) { struct s s = { x, { x } }; return one(&s) + 1; }\n"
    "int main(int c, char **v) { (void)v; return two(c); }\n";

struct image {
	unsigned char *data;
	size_t len;
	uint64_t code; /* address of one() */
};

static uint64_t seed;

static uint32_t
random_below(uint32_t limit)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((uint32_t)((seed >> 33) % limit));
}

static struct image
image_read(const char *name)
{
	struct image image;
	struct stat st;
	FILE *f;

	assert_non_null(f = fopen(fixture_path(name), "r"));
	assert_int_equal(fstat(fileno(f), &st), 0);
	image.len = (size_t)st.st_size;
	assert_non_null(image.data = malloc(image.len));
	assert_int_equal(fread(image.data, 1, image.len, f), image.len);
	fclose(f);
	image.code = fixture_address(name, "one");
	return (image);
}

/* Ask for addresses in and around the code; 1 when all of them have names
 * from the DWARF, as in the whole file. */
static int
ask(const unsigned char *data, size_t len, uint64_t code)
{
	struct pp_frame frame[PP_INLINES_MAX];
	struct pp_symbols *s = pp_symbols_new();
	uint32_t frames, i, k;
	int fd, named, good = 1;

	assert_int_not_equal(fd = memfd_create("hostile", MFD_CLOEXEC), -1);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(pp_symbols_add(s, NULL, 0, "h", fd, dup(fd)), 0);
	for (i = 0; i < 48; i++) {
		frames = pp_symbols_resolve(s, 0, code + i, frame, &named);
		assert_in_range(frames, 1, PP_INLINES_MAX);
		for (k = 0; k < frames; k++) {
			assert_true(strlen(frame[k].function) > 0);
			assert_true(strlen(frame[k].file) < 4097);
			assert_true(frame[k].line >= 0);
		}
		good &= named && frame[0].line > 0;
	}
	pp_symbols_resolve(s, 0, 0, frame, &named);
	pp_symbols_resolve(s, 0, UINT64_MAX, frame, &named);
	pp_symbols_trim(s);
	pp_symbols_free(s);
	return (good);
}

/* Where the bytes lie whose change does most: headers, DWARF, symbols. */
struct target {
	size_t at, len;
};

static uint32_t
targets_find(const struct image *image, struct target *target, uint32_t room)
{
	Elf *elf = elf_memory((char *)image->data, image->len);
	Elf_Scn *section = NULL;
	uint32_t count = 0;
	GElf_Ehdr header;
	GElf_Shdr shdr;
	size_t names;
	const char *name;

	assert_non_null(gelf_getehdr(elf, &header));
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	target[count++] = (struct target){ 0, 64 + 13 * 56 };
	target[count++] = (struct target){ header.e_shoff,
		(size_t)header.e_shnum * header.e_shentsize };
	while ((section = elf_nextscn(elf, section)) != NULL && count < room) {
		assert_non_null(gelf_getshdr(section, &shdr));
		name = elf_strptr(elf, names, shdr.sh_name);
		if (shdr.sh_size > 0 && shdr.sh_type != SHT_NOBITS &&
		    (strncmp(name, ".debug_", 7) == 0 ||
			strstr(name, "sym") != NULL ||
			strncmp(name, ".note", 5) == 0))
			target[count++] =
			    (struct target){ shdr.sh_offset, shdr.sh_size };
	}
	elf_end(elf);
	return (count);
}

static void
flip(const char *flags)
{
	struct target target[32], *t;
	uint32_t targets, round, i, flips, broken = 0;
	unsigned char *copy;
	struct image image;

	fixture_write("h.c", source);
	fixture_sh("gcc -O2 %s -o h h.c", flags);
	image = image_read("h");
	elf_version(EV_CURRENT);
	targets = targets_find(&image, target, 32);
	assert_in_range(targets, 6, 32);
	assert_true(ask(image.data, image.len, image.code));
	assert_non_null(copy = malloc(image.len));
	for (round = 0; round < ROUNDS; round++) {
		memcpy(copy, image.data, image.len);
		t = &target[round % targets];
		flips = 1 + random_below(12);
		for (i = 0; i < flips; i++)
			copy[t->at + random_below((uint32_t)t->len)] =
			    (unsigned char)random_below(256);
		broken += !ask(copy, image.len, image.code);
	}
	/* Else the wrong bytes were changed. */
	assert_in_range(broken, ROUNDS / 20, ROUNDS);
	free(copy);
	free(image.data);
}

static void
changed_bytes_do_no_harm(void **state)
{
	(void)state;
	seed = 1;
	flip("-gdwarf-5");
	flip("-gdwarf-4");
	flip("-gdwarf-5 -gz=zlib");
}

static void
files_cut_short_do_no_harm(void **state)
{
	struct image image;
	size_t len;

	(void)state;
	fixture_write("h.c", source);
	fixture_sh("gcc -O2 -g -o h h.c");
	image = image_read("h");
	for (len = 0; len < image.len; len += 1 + image.len / 250)
		assert_false(ask(image.data, len, image.code));
	free(image.data);
}

/* Cut under us while it is open: that is why small files are not mapped. */
static void
a_file_cut_while_it_is_read_does_no_harm(void **state)
{
	struct pp_frame frame[PP_INLINES_MAX];
	struct pp_symbols *s = pp_symbols_new();
	uint64_t code;
	int fd, debug, named;

	(void)state;
	fixture_write("h.c", source);
	fixture_sh("gcc -O2 -g -o h h.c");
	code = fixture_address("h", "one");
	fd = pp_symbols_open(fixture_path("h"), NULL, 0, &debug);
	assert_int_equal(pp_symbols_add(s, NULL, 0, "h", fd, debug), 0);
	pp_symbols_resolve(s, 0, code, frame, &named);
	assert_true(named);
	assert_int_equal(truncate(fixture_path("h"), 100), 0);
	pp_symbols_resolve(s, 0, code + 1, frame, &named);
	pp_symbols_trim(s);
	pp_symbols_resolve(s, 0, code + 2, frame, &named);
	assert_false(named);
	assert_string_not_equal(frame[0].function, "one");
	pp_symbols_free(s);
}

static void
calls_inlined_deeper_than_the_limit_keep_both_ends(void **state)
{
	struct pp_frame frame[PP_INLINES_MAX];
	struct pp_symbols *s = pp_symbols_new();
	char text[8192];
	size_t len;
	uint32_t frames;
	int i, fd, debug, named;

	(void)state;
	len = (size_t)snprintf(text, sizeof(text),
	    "#define I static inline __attribute__((always_inline)) void\n"
	    "I f0(void) { __asm__ volatile(\".globl at\\nat: nop\"); }\n");
	for (i = 1; i < 50; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "I f%d(void) { f%d(); }\n", i, i - 1);
	snprintf(text + len, sizeof(text) - len,
	    "int main(void) { f49(); return 0; }\n");
	fixture_write("n.c", text);
	fixture_sh("gcc -O2 -g -o n n.c");
	fd = pp_symbols_open(fixture_path("n"), NULL, 0, &debug);
	assert_int_equal(pp_symbols_add(s, NULL, 0, "n", fd, debug), 0);
	frames =
	    pp_symbols_resolve(s, 0, fixture_address("n", "at"), frame, &named);
	assert_int_equal(frames, PP_INLINES_MAX);
	assert_string_equal(frame[0].function, "f0");
	assert_string_equal(frame[PP_INLINES_MAX - 1].function, "main");
	pp_symbols_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_bytes_do_no_harm),
		cmocka_unit_test(files_cut_short_do_no_harm),
		cmocka_unit_test(a_file_cut_while_it_is_read_does_no_harm),
		cmocka_unit_test(
		    calls_inlined_deeper_than_the_limit_keep_both_ends),
	};

	alarm(SECONDS_MAX);
	return (cmocka_run_group_tests(tests, fixture_setup, fixture_teardown));
}
