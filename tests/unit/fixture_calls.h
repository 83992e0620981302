/*
 * The program that the tests of symbol/ look into: a static function, and
 * calls inlined into each other around an address that has a name, "here".
 */
#ifndef TESTS_FIXTURE_CALLS_H
#define TESTS_FIXTURE_CALLS_H

#include "fixture.h"
#include "symbol/symbols.h"

static const char source[] =
    "volatile int sink;\n"
    "#define INLINE static inline __attribute__((always_inline))\n"
    "#define LONE __attribute__((noinline, noclone))\n"
    "INLINE void innermost(int x)\n"
    "{\n"
    "	sink = x;\n"
    "	__asm__ volatile(\".globl here\\nhere: nop\"); /*AT*/\n"
    "}\n"
    "INLINE void middle(int x)\n"
    "{\n"
    "	sink = 2;\n"
    "	innermost(x + sink); /*CALL1*/\n"
    "}\n"
    "LONE static int hidden(int n) /*HIDDEN*/\n"
    "{\n"
    "	int i, sum = 0;\n"
    "	for (i = 0; i < n; i++)\n"
    "		sum += sink * i;\n"
    "	return sum;\n"
    "}\n"
    "LONE int outer(int x) /*OUTER*/\n"
    "{\n"
    "	{ int y = x * sink; if (y > 3) {\n"
    "	middle(y); /*CALL2*/\n"
    "	} }\n"
    "	return sink + hidden(x);\n"
    "}\n"
    "int plain(int x) { return x ^ sink; } /*PLAIN*/\n"
    "int main(int c, char **v) { (void)v; return outer(c) + plain(c); }\n";

/* A file as the collector opens it. */
static inline struct pp_symbols *
load(const char *name)
{
	struct pp_symbols *s = pp_symbols_new();
	int fd, debug;

	assert_non_null(s);
	fd = pp_symbols_open(fixture_path(name), NULL, 0, &debug);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pp_symbols_add(s, NULL, 0, name, fd, debug), 0);
	return (s);
}

static inline const char *
name_at(struct pp_symbols *s, uint64_t vaddr)
{
	static struct pp_frame frame[PP_INLINES_MAX];
	uint32_t frames;
	int named;

	frames = pp_symbols_resolve(s, 0, vaddr, frame, &named);
	assert_in_range(frames, 1, PP_INLINES_MAX);
	return (frame[frames - 1].function);
}

#endif
