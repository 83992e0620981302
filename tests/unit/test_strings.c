/*
 * Tests of profile/strings.c, by the profile that owns the texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "profile/profile.h"

static void
the_same_text_is_the_same_pointer(void **state)
{
	struct pp_profile *p = pp_profile_new();
	char copy[] = "fib";
	const char *fib;

	(void)state;
	fib = pp_profile_string(p, "fib");
	assert_string_equal(fib, "fib");
	assert_ptr_equal(fib, pp_profile_string(p, copy));
	assert_ptr_not_equal(fib, copy);
	assert_ptr_not_equal(fib, pp_profile_string(p, "fi"));
	assert_ptr_not_equal(fib, pp_profile_string(p, "fibs"));
	assert_string_equal(pp_profile_string(p, NULL), "");
	assert_ptr_equal(pp_profile_string(p, NULL), pp_profile_string(p, ""));
	pp_profile_free(p);
	pp_profile_free(NULL);
}

static void
bytes_that_are_not_utf8_become_replacement_characters(void **state)
{
#define FFFD "\xef\xbf\xbd"
	static const char *const cases[][2] = {
		{ "caf\xe9", "caf" FFFD },
		{ "\x80 a \xbf", FFFD " a " FFFD },
		{ "cut \xe2\x82", "cut " FFFD FFFD },
		{ "cut \xf0\x9f\x98", "cut " FFFD FFFD FFFD },
		{ "\xe2"
		  "abc",
		    FFFD "abc" },
		{ "overlong \xc0\xaf", "overlong " FFFD FFFD },
		{ "overlong \xe0\x80\xaf", "overlong " FFFD FFFD FFFD },
		{ "overlong \xf0\x80\x80\xaf",
		    "overlong " FFFD FFFD FFFD FFFD },
		{ "surrogate \xed\xa0\x80", "surrogate " FFFD FFFD FFFD },
		{ "beyond \xf4\x90\x80\x80", "beyond " FFFD FFFD FFFD FFFD },
		{ "\xff\xfe", FFFD FFFD },
		/* Valid ones, at the edges of each length. */
		{ "\x01 \x7f", "\x01 \x7f" },
		{ "\xc2\x80 \xdf\xbf", "\xc2\x80 \xdf\xbf" },
		{ "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
		    "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf" },
		{ "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
		    "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf" },
	};
	struct pp_profile *p = pp_profile_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(pp_profile_string(p, cases[i][0]),
		    cases[i][1]);
	/* Mended text is interned like any other. */
	assert_ptr_equal(pp_profile_string(p, "caf\xe9"),
	    pp_profile_string(p, "caf" FFFD));
	pp_profile_free(p);
}

static void
texts_of_any_length_stay_where_they_are(void **state)
{
	struct pp_profile *p = pp_profile_new();
	const char *first[4000], *longest;
	static char text[10001];
	uint32_t i;

	(void)state;
	memset(text, 'n', 10000);
	longest = pp_profile_string(p, text);
	assert_int_equal(strlen(longest), 10000);
	for (i = 0; i < 4000; i++) {
		text[i] = '\0';
		first[i] = pp_profile_string(p, text);
		text[i] = 'n';
	}
	for (i = 0; i < 4000; i++) {
		assert_int_equal(strlen(first[i]), i);
		text[i] = '\0';
		assert_ptr_equal(first[i], pp_profile_string(p, text));
		text[i] = 'n';
	}
	assert_string_equal(longest, text);
	assert_ptr_equal(longest, pp_profile_string(p, text));
	assert_int_equal(p->failed, 0);
	pp_profile_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_text_is_the_same_pointer),
		cmocka_unit_test(
		    bytes_that_are_not_utf8_become_replacement_characters),
		cmocka_unit_test(texts_of_any_length_stay_where_they_are),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
