/*
 * Tests of encode/trace_go*.c: no file is larger than it may be, whatever the
 * names in it are.
 */
#include "trace_fixture.h"

#define MAX  (1 << 16)
#define LONG 2000

static void
the_file_ends_by_itself_before_it_is_too_large(void **state)
{
	struct traced d = traced_new();
	struct pp_go *go;
	uint32_t label, i;
	struct pp_buf bytes;

	(void)state;
	label = put_label(&d, 1);
	go = pp_go_new(pp_clock_mono(), 1 << 16);
	d.session = pp_tracer_begin(d.tracer, pp_go_event, go);
	d.zero = pp_clock_mono();
	for (i = 0; i < 5000; i++) {
		PUT_AT(&d, i, PP_TRACE_RUN, 0, label, 100 + i);
		if (i % 2 == 0)
			PUT_AT(&d, i, PP_TRACE_RAN, 1, 0, 100 + i);
		if (i % 100 == 0)
			pp_tracer_tick(d.tracer, pp_clock_mono());
	}
	pp_tracer_tick(d.tracer, pp_clock_mono());
	assert_true(pp_go_full(go));
	bytes = traced_file(&d, d.session, go);
	assert_in_range(bytes.len, 1 << 15, 1 << 16);
	traced_check(&bytes);
	assert_non_null(memmem(bytes.data, bytes.len, "ended early", 11));
	pp_buf_free(&bytes);
	traced_free(&d);
}

/* What an ill-disposed compiler calls its functions and files, in UTF-8. */
static const char *
long_name(uint32_t number, const char *what)
{
	static char text[2 * LONG + 1];
	uint32_t i;
	int len = snprintf(text, sizeof(text), "%s_%u_", what, number);

	for (i = (uint32_t)len; i < LONG; i += 2)
		memcpy(text + i, "\xc3\xb6", 3);
	return (text);
}

static void
name_all(struct pp_profile *p)
{
	struct pp_line line = { .line = 4711 };
	uint32_t i;

	for (i = 1; i <= p->locations; i++) {
		line.function = pp_profile_function(p,
		    pp_profile_string(p, long_name(i, "function")),
		    pp_profile_string(p, long_name(i, "file")), 1);
		pp_profile_lines(p, i, &line, 1);
	}
}

/* Requests that sleep at so many places. */
static void
sleep_at(struct traced *d, uint32_t places)
{
	uint32_t label = put_label(d, 1), i;

	for (i = 0; i < 4000; i++) {
		PUT_AT(d, -1, PP_TRACE_RUN, 0, label, 100 + i);
		PUT_AT(d, -1, PP_TRACE_SLEEP, PP_WAIT_PGSQL, 0, 100 + i,
		    counts_here(&d->c, 1, 0x100 + 0x10 * (i % places)));
		PUT_AT(d, -1, PP_TRACE_RAN, 0, 0, 100 + i);
		PUT_AT(d, -1, PP_TRACE_END, 0, 0, 100 + i);
		if (i % 100 == 0)
			pp_tracer_tick(d->tracer, pp_clock_mono());
	}
}

/* Long names for `places` functions in a file of at most `max`. */
static struct pp_buf
long_file(uint32_t places, uint64_t max, int *full)
{
	struct traced d = traced_new();
	struct pp_go *go;
	struct pp_profile *stacks;
	const uint32_t *words;
	struct pp_buf bytes;
	uint32_t count;
	uint64_t len;
	int fd;

	go = pp_go_new(pp_clock_mono(), max);
	d.session = pp_tracer_begin(d.tracer, pp_go_event, go);
	d.zero = pp_clock_mono();
	sleep_at(&d, places);
	*full = pp_go_full(go);
	pp_tracer_stop(d.session);
	words = pp_go_stacks_of(go, &count);
	stacks = pp_tracer_profile(d.tracer, words, count);
	assert_non_null(stacks);
	name_all(stacks);
	fd = pp_go_finish(go, d.tracer, stacks, &len);
	bytes = traced_bytes(fd, len);
	pp_profile_free(stacks);
	pp_tracer_end(d.session);
	pp_go_free(go);
	traced_free(&d);
	return (bytes);
}

static void
names_are_cut_where_they_would_not_fit(void **state)
{
	struct pp_buf bytes;
	int full;

	(void)state;
	bytes = long_file(200, MAX, &full);
	assert_true(full);
	print_message("%zu of %u bytes\n", bytes.len, MAX);
	assert_in_range(bytes.len, MAX / 4, MAX);
	traced_check(&bytes);
	pp_buf_free(&bytes);
}

static void
names_are_whole_where_there_is_room(void **state)
{
	struct pp_buf bytes;
	int full;

	(void)state;
	bytes = long_file(200, 16 << 20, &full);
	assert_false(full);
	assert_in_range(bytes.len, 2 * 200 * LONG, 4 << 20);
	traced_check(&bytes);
	pp_buf_free(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_file_ends_by_itself_before_it_is_too_large),
		cmocka_unit_test(names_are_cut_where_they_would_not_fit),
		cmocka_unit_test(names_are_whole_where_there_is_room),
	};

	return (cmocka_run_group_tests(tests, go_prepare, go_clean));
}
