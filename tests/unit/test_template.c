/*
 * Tests of service/http/template.c: values are escaped, sections repeat, mistakes
 * are errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "service/http/template.h"

/* Render and compare; `want` NULL: it must be refused. */
static void
check(const char *template, const struct pp_view *view, const char *want)
{
	struct pp_buf out = { 0 };
	int status;

	status = pp_template_render(template, strlen(template), view, &out);
	if (want == NULL) {
		if (status == 0)
			fail_msg("\"%s\" was not refused", template);
	} else {
		assert_int_equal(status, 0);
		pp_buf_append(&out, "", 1);
		assert_string_equal(out.data, want);
	}
	pp_buf_free(&out);
}

static void
a_text_without_tags_stays_as_it_is(void **state)
{
	struct pp_view *view = pp_view_new();

	(void)state;
	check("", view, "");
	check("a < b { c } d &amp;", view, "a < b { c } d &amp;");
	pp_view_free(view);
}

static void
every_value_is_escaped(void **state)
{
	struct pp_view *view = pp_view_new();

	(void)state;
	pp_view_set(view, "x", "%s", "<a href='x' title=\"&\">");
	pp_view_set(view, "tag", "%s", "{{x}}");
	check("[{{x}}]", view,
	    "[&lt;a href=&#39;x&#39; title=&quot;&amp;&quot;&gt;]");
	check("{{tag}}", view, "{{x}}");
	pp_view_free(view);
}

static void
a_section_repeats_for_each_row_in_order(void **state)
{
	struct pp_view *view = pp_view_new(), *row;

	(void)state;
	pp_view_set(view, "all", "A");
	row = pp_view_row(view, "r");
	pp_view_set(row, "n", "%d", 1);
	pp_view_set(pp_view_row(view, "other"), "n", "%d", 9);
	row = pp_view_row(view, "r");
	pp_view_set(row, "n", "%d", 2);
	pp_view_set(pp_view_row(row, "in"), "m", "x");
	pp_view_set(pp_view_row(row, "in"), "m", "y");
	check("{{#r}}{{n}}{{all}}{{#in}}({{n}}{{m}}){{/in}};{{/r}}.", view,
	    "1A;2A(2x)(2y);.");
	check("{{#r}}{{^in}}no{{/in}}{{/r}}", view, "no");
	check("{{#none}}x{{/none}}{{^none}}y{{/none}}", view, "y");
	check("{{#r}}{{^r}}x{{/r}}{{/r}}", view, "");
	pp_view_free(view);
}

static void
a_value_is_a_condition_when_it_is_not_empty(void **state)
{
	struct pp_view *view = pp_view_new();

	(void)state;
	pp_view_set(view, "yes", "1");
	pp_view_set(view, "no", "%s", "");
	check("{{#yes}}a{{/yes}}{{^yes}}b{{/yes}}", view, "a");
	check("{{#no}}a{{/no}}{{^no}}b{{/no}}", view, "b");
	check("{{no}}", view, "");
	pp_view_free(view);
}

static void
a_section_inside_one_of_the_same_name_closes_first(void **state)
{
	struct pp_view *view = pp_view_new();

	(void)state;
	pp_view_set(view, "a", "1");
	check("{{#a}}x{{#a}}y{{/a}}z{{/a}}", view, "xyz");
	pp_view_free(view);
}

static void
mistakes_in_a_template_are_errors(void **state)
{
	static const char *const bad[] = { "{{", "{{x", "{{}}", "{{#}}{{/}}",
		"{{unknown}}", "{{#x}}", "{{#x}}{{/y}}", "{{/x}}", "{{#x}}{{",
		"{{#x}}{{#y}}{{/x}}{{/y}}", "{{row}}",
		"{{a_name_that_is_longer_than_any_name_may_be}}",
		("{{#x}}{{#x}}{{#x}}{{#x}}{{#x}}{{#x}}{{#x}}{{#x}}{{#x}}"
		 "{{/x}}{{/x}}{{/x}}{{/x}}{{/x}}{{/x}}{{/x}}{{/x}}{{/x}}") };
	struct pp_view *view = pp_view_new();
	size_t i;

	(void)state;
	pp_view_set(view, "x", "1");
	pp_view_row(view, "row");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(bad[i], view, NULL);
	pp_view_free(view);
}

static void
a_view_that_lost_something_is_not_shown(void **state)
{
	struct pp_view *view = pp_view_new();

	(void)state;
	pp_view_set(NULL, "x", "1");
	assert_null(pp_view_row(NULL, "x"));
	check("text", NULL, NULL);
	check("text", view, "text");
	pp_view_set(pp_view_row(view, "row"),
	    "a_name_that_is_longer_than_any_name_may_be", "1");
	check("text", view, NULL);
	pp_view_free(view);
	pp_view_free(NULL);
}

static void
a_full_buffer_is_an_error(void **state)
{
	struct pp_view *view = pp_view_new();
	struct pp_buf out = { .limit = 3 };

	(void)state;
	assert_int_equal(pp_template_render("1234", 4, view, &out), -1);
	pp_buf_free(&out);
	pp_view_free(view);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_without_tags_stays_as_it_is),
		cmocka_unit_test(every_value_is_escaped),
		cmocka_unit_test(a_section_repeats_for_each_row_in_order),
		cmocka_unit_test(a_value_is_a_condition_when_it_is_not_empty),
		cmocka_unit_test(
		    a_section_inside_one_of_the_same_name_closes_first),
		cmocka_unit_test(mistakes_in_a_template_are_errors),
		cmocka_unit_test(a_view_that_lost_something_is_not_shown),
		cmocka_unit_test(a_full_buffer_is_an_error),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
