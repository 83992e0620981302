/*
 * Tests of encode/text*.c: the heap as text, by its bytes and by the reader
 * it is written for: what `go tool pprof` makes of the raw values must be
 * what the binary profile says. Without go these tests fail.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "encode/text/text.h"
#include "encode/text/text_heap.h"
#include "heap_counters_fixture.h"

static char folder[] = "/tmp/pprof-text-XXXXXX";

static int
prepare(void **state)
{
	(void)state;
	if (system("go version") != 0) {
		print_error("go is missing, and it is the judge here: "
			    "apt install golang-go\n");
		return (-1);
	}
	if (mkdtemp(folder) == NULL)
		return (-1);
	setenv("HOME", folder, 1);
	return (0);
}

/* What `go tool pprof` says of a text; valid until the next call. */
static const char *
pprof(const struct pp_buf *text, const char *options)
{
	static char said[1 << 20];
	char command[512];
	FILE *file, *pipe;
	size_t len;
	int status;

	snprintf(command, sizeof(command), "%s/text", folder);
	assert_non_null(file = fopen(command, "w"));
	assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
	assert_int_equal(fclose(file), 0);
	snprintf(command, sizeof(command),
	    "cd %s && go tool pprof -symbolize=none %s text 2>&1", folder,
	    options);
	assert_non_null(pipe = popen(command, "r"));
	len = fread(said, 1, sizeof(said) - 1, pipe);
	said[len] = '\0';
	status = pclose(pipe);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s\nended with %d:\n%s", command, status, said);
	return (said);
}

static int
clean(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return (system(command));
}

static struct pp_buf
text_of(struct heap *h, struct pp_heap_view *view)
{
	struct pp_profile *p;
	struct pp_buf out = { 0 };

	view->raw = 1;
	p = pp_heap_reader_profile(h->reader, view);
	assert_non_null(p);
	pp_encode_text_heap(p, view, &out);
	pp_profile_free(p);
	pp_buf_append(&out, "", 1);
	assert_int_equal(out.failed, 0);
	out.len--;
	return (out);
}

/* Line by line what Go's runtime would print, but for labels and names. */
static void
the_text_is_as_go_writes_it(void **state)
{
	struct pp_heap_view view = { 0 };
	struct heap h = heap_new();
	uint32_t label =
	    fixture_label(&h.f, 1, "http.route\0/a\"\\\001/\0", 17);
	struct pp_buf text;

	(void)state;
	heap_put(&h, 1, heap_here(&h, 1, 0x100), label, 32, RATE, 10, 7);
	heap_put(&h, 2, heap_here(&h, 2, 0x100), 0, 4096, RATE, 2, 2);
	text = text_of(&h, &view);
	assert_string_equal(text.data,
	    "heap profile: 3: 96 [12: 8512] @ heap/1048576\n"
	    "3: 96 [10: 320] @ 0x555555555100 0x55555555d000\n"
	    "# labels: {\"http.route\":\"/a\\\"\\\\\\u0001/\", "
	    "\"worker\":1, \"bytes\":32}\n"
	    "#\t0x5555555550ff\n"
	    "#\t0x55555555cfff\n"
	    "\n"
	    "0: 0 [2: 8192] @ 0x555555555100 0x55555555d000\n"
	    "# labels: {\"worker\":2, \"bytes\":4096}\n"
	    "#\t0x5555555550ff\n"
	    "#\t0x55555555cfff\n"
	    "\n");
	pp_buf_free(&text);
	heap_free(&h);
}

static void
frames_stand_in_columns_and_no_name_breaks_a_line(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_line line[2] = { 0 };
	int64_t value[PP_VALUES_MAX] = { 1, 1, 1, 1 };
	struct pp_buf out = { 0 };
	uint32_t at;

	(void)state;
	p->value_types = 4;
	pp_profile_sample(p, value);
	at = pp_profile_location(p, 0x401135, 0);
	line[0].function = pp_profile_function(p, "inlined", "/a.c", 1);
	line[0].line = 7;
	line[1].function = pp_profile_function(p, "physical_one", "/b.c", 1);
	line[1].line = 31;
	pp_profile_lines(p, at, line, 2);
	p->location[at - 1].offset = 0x25 + 1;
	pp_profile_push(p, at);
	at = pp_profile_location(p, 0x7ffff7c29000, 0);
	line[0].function =
	    pp_profile_function(p, "evil\n1: 1 [1: 1] @ 0x1", "tab\t", 0);
	pp_profile_lines(p, at, line, 1);
	pp_profile_push(p, at);
	at = pp_profile_location(p, 0x10, 0);
	line[0].function = pp_profile_function(p, "libc.so.6+0x10", "", 0);
	pp_profile_lines(p, at, line, 1);
	pp_profile_push(p, at);
	pp_profile_push(p, pp_profile_location(p, 0x11, 0));
	pp_text_frames(p, &p->sample[0], &out);
	pp_buf_append(&out, "", 1);
	assert_string_equal(out.data,
	    "#\t0x401135\tinlined+0x25\t\t/a.c:7\n"
	    "#\t0x401135\tphysical_one+0x25\t/b.c:31\n"
	    "#\t0x7ffff7c29000\tevil?1: 1 [1: 1] @ 0x1\ttab?:7\n"
	    "#\t0x10\t\tlibc.so.6+0x10\n"
	    "#\t0x11\n"
	    "\n");
	pp_buf_free(&out);
	pp_profile_free(p);
}

/* Sum of a column of `-raw`'s samples. */
static long long
raw_sum(const char *raw, int column)
{
	const char *at = strstr(raw, "Samples:\n"), *end;
	long long sum = 0, value;
	char *next;
	int i;

	assert_non_null(at);
	at = strchr(strchr(at, '\n') + 1, '\n') + 1;
	end = strstr(at, "\nLocations");
	assert_non_null(end);
	for (; at < end; at = strchr(at, '\n') + 1) {
		value = strtoll(at, &next, 10);
		/* Labels are on lines of their own, and begin by a letter. */
		if (next == at)
			continue;
		for (i = 0; i < column; i++)
			value = strtoll(next, &next, 10);
		sum += value;
	}
	return (sum);
}

static void
near(long long a, long long b, long long off)
{
	if (a - b > off || b - a > off)
		fail_msg("%lld is not %lld", a, b);
}

static void
fill(struct heap *h, uint64_t rate)
{
	static const uint64_t size[] = { 8, 24, 100, 1000, 4096, 70000, 600000,
		9000000 };
	uint32_t i;

	for (i = 0; i < 40; i++)
		heap_put(h, 1 + i % 2, heap_here(h, 1 + i % 2, 0x100 + i / 2),
		    0, size[i % 8], rate, 3 + i, i % 4);
}

/* It rounds down where we round to the nearest: 1 a sample and value. */
static void
pprof_scales_the_raw_values_to_what_the_binary_says(void **state)
{
	static const uint64_t rate[] = { RATE, 4096, 1 };
	struct pp_heap_view view = { 0 };
	struct pp_profile *p;
	struct pp_buf text;
	const char *raw;
	struct heap h;
	size_t i;
	int v;

	(void)state;
	for (i = 0; i < sizeof(rate) / sizeof(rate[0]); i++) {
		h = heap_new();
		fill(&h, rate[i]);
		text = text_of(&h, &view);
		assert_null(strstr(text.data, "changed while"));
		p = heap_take(&h);
		raw = pprof(&text, "-raw");
		assert_non_null(strstr(raw, "PeriodType: space bytes\n"));
		assert_non_null(strstr(raw,
		    "alloc_objects/count alloc_space/bytes "
		    "inuse_objects/count inuse_space/bytes"));
		for (v = 0; v < 4; v++)
			near(raw_sum(raw, v), profile_sum(p, v), p->samples);
		assert_true(raw_sum(raw, PP_HEAP_TYPE_INUSE_SPACE) > 0);
		pp_profile_free(p);
		pp_buf_free(&text);
		heap_free(&h);
	}
}

static void
with_several_rates_the_values_are_scaled_already_and_it_says_so(void **state)
{
	struct pp_heap_view view = { 0 };
	struct heap h = heap_new();
	struct pp_profile *p;
	struct pp_buf text;
	const char *raw;
	int v;

	(void)state;
	fill(&h, RATE);
	fill(&h, 4096);
	text = text_of(&h, &view);
	assert_non_null(strstr(text.data, " @ heap/2\n# The sampling rate"));
	p = heap_take(&h);
	raw = pprof(&text, "-raw");
	for (v = 0; v < 4; v++)
		assert_int_equal(raw_sum(raw, v), profile_sum(p, v));
	pp_profile_free(p);
	pp_buf_free(&text);
	heap_free(&h);
}

/* pprof drops the alloc_ columns when both totals are equal, and refuses a
 * file in which no count has bytes. */
static void
equal_totals_and_no_samples_keep_four_columns(void **state)
{
	struct pp_heap_view view = { 0 };
	struct heap h = heap_new();
	struct pp_buf text;

	(void)state;
	text = text_of(&h, &view);
	assert_string_equal(text.data,
	    "heap profile: 0: 0 [0: 1] @ heap/1048576\n");
	assert_non_null(strstr(pprof(&text, "-raw"), "alloc_space"));
	pp_buf_free(&text);
	heap_put(&h, 1, heap_here(&h, 1, 0x100), 0, 32, RATE, 3, 0);
	heap_put(&h, 1, 0, 0, 0, RATE, 1, 0);
	text = text_of(&h, &view);
	assert_non_null(
	    strstr(text.data, "heap profile: 4: 96 [4: 97] @ heap/1048576\n"));
	assert_non_null(strstr(pprof(&text, "-raw"), "alloc_space"));
	pp_buf_free(&text);
	heap_free(&h);
}

static struct pp_memory_worker
worker(uint32_t number, uint64_t unit)
{
	struct pp_memory_worker w = { .worker = number,
		.pid = 100 + (int)number,
		.answered = 1,
		.has_kernel = 1 };

	w.kernel = (struct pp_proc_memory){ .rss = 90 * unit,
		.pss = 50 * unit,
		.private_clean = 1 * unit,
		.private_dirty = 40 * unit,
		.shared_clean = 30 * unit,
		.shared_dirty = 19 * unit };
	w.facts.malloc_arena = 10 * unit;
	w.facts.malloc_mapped = 5 * unit;
	w.facts.malloc_used = 8 * unit;
	w.facts.malloc_free = 2 * unit;
	w.facts.stacks = 3 * unit;
	w.facts.pools = 2;
	w.facts.pool[0] = (struct pp_pool_facts){ "block-8", 24, 100, 7 };
	w.facts.pool[1] =
	    (struct pp_pool_facts){ "http_request_pool", 1000, 10 * number, 1 };
	return (w);
}

static void
the_trailer_adds_up_and_says_who_did_not_answer(void **state)
{
	const uint64_t live[] = { 0, 7777, 1111, 5 };
	struct pp_memory_worker w[3] = { worker(1, 10000), worker(2, 20000),
		{ .worker = 3 } };
	struct pp_buf out = { 0 };
	char *two;

	(void)state;
	pp_encode_text_memory(w, 3, live, &out);
	pp_buf_append(&out, "", 1);
	assert_non_null(strstr(out.data, "\n# Workers = 2\n"));
	assert_non_null(strstr(out.data, "\n# WorkersAnswered = 2\n"));
	assert_non_null(strstr(out.data, "\n# RSS = 2700000\n"));
	assert_non_null(strstr(out.data, "\n# PSS = 1500000\n"));
	assert_non_null(strstr(out.data, "\n# Private = 1230000\n"));
	assert_non_null(strstr(out.data, "\n# Shared = 1470000\n"));
	assert_non_null(strstr(out.data, "\n# worker.1.KorePools = 12400\n"));
	assert_non_null(strstr(out.data, "\n# KorePools = 34800\n"));
	assert_non_null(strstr(out.data, "\n# LiveSeen = 8888\n"));
	/* 40 - 10 - 5 - 3 units, and the pools. */
	assert_non_null(
	    strstr(out.data, "\n# worker.1.Unexplained = 207600\n"));
	assert_non_null(strstr(out.data, "\n# Unexplained = 625200\n"));
	assert_non_null(
	    strstr(out.data, "\n# kore.pool.block-8 = 14 / 200 (24 bytes)\n"));
	assert_non_null(strstr(out.data,
	    "\n# worker.2.kore.pool.http_request_pool = 1 / 20 (1000 "
	    "bytes)\n"));
	assert_non_null(
	    strstr(out.data, "\n# worker.3.Process = none, not running\n"));
	pp_buf_free(&out);

	w[1].answered = 0;
	w[0].has_kernel = 0;
	pp_encode_text_memory(w, 3, live, &out);
	pp_buf_append(&out, "", 1);
	assert_non_null(strstr(out.data, "\n# WorkersAnswered = 1\n"));
	two = strstr(out.data, "\n# worker.2.Process = 102\n");
	assert_non_null(two);
	assert_non_null(strstr(two, "\n# worker.2.Answered = no, it is busy"));
	assert_non_null(strstr(two, "\n# worker.2.RSS = 1800000\n"));
	assert_null(strstr(two, "MallocUsed"));
	assert_null(strstr(out.data, "Unexplained"));
	assert_non_null(strstr(out.data, "\n# worker.1.Kernel = not known"));
	assert_non_null(strstr(out.data, "\n# worker.1.MallocUsed = 80000\n"));
	pp_buf_free(&out);
}

/* Less private than malloc has taken: the parent's pages, still shared. */
static void
the_unexplained_can_be_below_zero(void **state)
{
	struct pp_memory_worker w = worker(1, 10000);
	const uint64_t live[] = { 0, 0 };
	struct pp_buf out = { 0 };

	(void)state;
	w.kernel.private_dirty = 0;
	pp_encode_text_memory(&w, 1, live, &out);
	pp_buf_append(&out, "", 1);
	assert_non_null(strstr(out.data, "\n# Unexplained = -192400\n"));
	pp_buf_free(&out);
}

/* Every line of the trailer is a comment to pprof. */
static void
pprof_reads_over_the_trailer(void **state)
{
	struct pp_memory_worker w = worker(1, 10000);
	struct pp_heap_view view = { 0 };
	struct heap h = heap_new();
	struct pp_buf text;
	const char *line;

	(void)state;
	heap_put(&h, 1, heap_here(&h, 1, 0x100), 0, 32, RATE, 3, 1);
	text = text_of(&h, &view);
	pp_encode_text_memory(&w, 1, view.live, &text);
	pp_buf_append(&text, "", 1);
	text.len--;
	for (line = strstr(text.data, "# Memory of"); *line != '\0';
	     line = strchr(line, '\n') + 1)
		assert_true(*line == '#' || *line == '\n');
	assert_non_null(strstr(pprof(&text, "-top -sample_index=alloc_space"),
	    "1.50MB total"));
	pp_buf_free(&text);
	heap_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_as_go_writes_it),
		cmocka_unit_test(
		    frames_stand_in_columns_and_no_name_breaks_a_line),
		cmocka_unit_test(
		    pprof_scales_the_raw_values_to_what_the_binary_says),
		cmocka_unit_test(
		    with_several_rates_the_values_are_scaled_already_and_it_says_so),
		cmocka_unit_test(equal_totals_and_no_samples_keep_four_columns),
		cmocka_unit_test(
		    the_trailer_adds_up_and_says_who_did_not_answer),
		cmocka_unit_test(the_unexplained_can_be_below_zero),
		cmocka_unit_test(pprof_reads_over_the_trailer),
	};

	return (cmocka_run_group_tests(tests, prepare, clean));
}
