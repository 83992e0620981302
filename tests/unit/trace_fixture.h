/*
 * The arena of counts_fixture.h, in which a test writes trace records as
 * workers would, and what the tracer and the encoder make of them: a line of
 * text for each event, and a file that is held against the rules of the
 * format by tests/integration/tracefile.py.
 */
#ifndef TRACE_FIXTURE_H
#define TRACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mix.h"
#include "counts_fixture.h"
#include "encode/trace/trace_go.h"
#include "go_pprof.h"
#include "trace/tracer_private.h"

#define US  1000LL
#define PID 1 /* not a process: nothing here signals anybody */

struct traced {
	struct counts c;
	struct pp_tracer *tracer;
	struct pp_tracer_session *session; /* the one that told() is of */
	struct pp_buf lines;
	int64_t zero; /* when recording began */
};

static __attribute__((unused))
const char *const traced_what[] = { "EXISTS", "BEGIN", "UP", "DOWN", "CREATE",
	"START", "STOP", "END", "BLOCK", "WAKE", "AWAY", "GONE", "SHORT",
	"TASK", "TASK_END", "REGION", "REGION_END", "LOG", "HEAP", "SAMPLE" };

/* "START p0 GET /fib/", with times, names and texts where they tell. */
static __attribute__((unused)) void
traced_line(void *arg, const struct pp_tracer_event *e)
{
	struct traced *d = arg;

	pp_buf_printf(&d->lines, "%s p%u", traced_what[e->what], e->p);
	if (e->g != NULL)
		pp_buf_printf(&d->lines, " %s",
		    pp_tracer_name(d->tracer, e->g->entry));
	if (e->what == PP_EVENT_AWAY)
		pp_buf_printf(&d->lines, " for %lldus",
		    (long long)(e->until - e->ts) / US);
	if (e->stack.leaf != 0)
		pp_buf_printf(&d->lines, " in %s",
		    pp_tracer_name(d->tracer, e->stack.leaf));
	if (e->name != 0 && e->what != PP_EVENT_UP)
		pp_buf_printf(&d->lines, " \"%s\"",
		    pp_tracer_name(d->tracer, e->name));
	if (e->len > 0)
		pp_buf_printf(&d->lines, " %.*s", (int)e->len, e->text);
	pp_buf_text(&d->lines, "\n");
}

static __attribute__((unused)) struct traced
traced_new(void)
{
	struct traced d = { .c = counts_new() };

	/* One worker, unless a test says otherwise. */
	d.c.f.arena->slot[2].life.pid = 0;
	d.tracer = pp_tracer_new(d.c.f.arena, 3, d.c.f.map);
	assert_non_null(d.tracer);
	return (d);
}

static __attribute__((unused)) void
traced_begin(struct traced *d)
{
	d->session = pp_tracer_begin(d->tracer, traced_line, d);
	assert_non_null(d->session);
	d->zero = d->tracer->now;
}

static __attribute__((unused)) void
traced_free(struct traced *d)
{
	pp_tracer_free(d->tracer);
	pp_buf_free(&d->lines);
	counts_free(&d->c);
}

/* What was told since the last call. */
static __attribute__((unused)) const char *
traced_emitted(struct traced *d)
{
	static char text[1 << 16];

	pp_tracer_tick(d->tracer, pp_clock_mono());
	snprintf(text, sizeof(text), "%.*s", (int)d->lines.len,
	    d->lines.data == NULL ? "" : d->lines.data);
	d->lines.len = 0;
	return (text);
}

/* A record of place 0 of worker 1 at `us` after the begin. */
#define PUT_AT(d, us, kind, n, m, ...)                                         \
	put_record((d), 1, 0, (us), (kind), (n), (m),                          \
	    (const uint64_t[]){ 0, __VA_ARGS__ },                              \
	    sizeof((const uint64_t[]){ 0, __VA_ARGS__ }) / sizeof(uint64_t) -  \
		1)
/* The same of a place of a worker. */
#define PUT_BY(d, slot, place, us, kind, n, m, ...)                            \
	put_record((d), (slot), (place), (us), (kind), (n), (m),               \
	    (const uint64_t[]){ 0, __VA_ARGS__ },                              \
	    sizeof((const uint64_t[]){ 0, __VA_ARGS__ }) / sizeof(uint64_t) -  \
		1)

static __attribute__((unused)) int
put_record(struct traced *d, uint32_t slot, uint32_t place, int64_t us,
    uint32_t kind, uint32_t n, uint32_t m, const uint64_t *word, size_t words)
{
	struct pp_slot *to = &d->c.f.arena->slot[slot];
	uint64_t record[PP_TRACE_RECORD_MAX];

	if (to->threads_used <= place)
		to->threads_used = place + 1;
	record[0] =
	    pp_trace_head((enum pp_trace_kind)kind, (uint32_t)words + 2, n, m);
	record[1] = (uint64_t)(d->zero + us * US);
	/* The first of `word` only keeps the list from being empty. */
	memcpy(record + 2, word + 1, words * sizeof(*word));
	/* The clock the tracer reads must have passed it. */
	while (us >= 0 && pp_clock_mono() < (int64_t)record[1])
		usleep(200);
	return (pp_record_put(to, place, record));
}

static __attribute__((unused)) uint32_t
put_label(struct traced *d, uint32_t slot)
{
	return (fixture_label(&d->c.f, slot,
	    "http.route\0/fib/\0http.method\0GET", 33));
}

/* What is in the file, which is closed. */
static __attribute__((unused)) struct pp_buf
traced_bytes(int fd, uint64_t len)
{
	struct pp_buf bytes = { 0 };
	char part[4096];
	ssize_t n;

	assert_true(fd != -1);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while ((n = read(fd, part, sizeof(part))) > 0)
		pp_buf_append(&bytes, part, (size_t)n);
	assert_int_equal(bytes.len, len);
	close(fd);
	return (bytes);
}

/* The bytes of a trace, which is stopped and ended. */
static __attribute__((unused)) struct pp_buf
traced_file(struct traced *d, struct pp_tracer_session *session,
    struct pp_go *go)
{
	struct pp_profile *stacks;
	const uint32_t *words;
	struct pp_buf bytes;
	uint32_t count;
	uint64_t len;
	int fd;

	pp_tracer_stop(session);
	words = pp_go_stacks_of(go, &count);
	assert_non_null(words);
	stacks = pp_tracer_profile(d->tracer, words, count);
	assert_non_null(stacks);
	fd = pp_go_finish(go, d->tracer, stacks, &len);
	bytes = traced_bytes(fd, len);
	pp_profile_free(stacks);
	pp_tracer_end(session);
	pp_go_free(go);
	return (bytes);
}

/* What a program of tests/integration says of the bytes; a broken rule fails
 * the test. */
static __attribute__((unused)) const char *
traced_judge(const struct pp_buf *bytes, const char *program)
{
	char top[512], command[700];

	assert_non_null(getcwd(top, sizeof(top)));
	snprintf(command, sizeof(command),
	    "PYTHONDONTWRITEBYTECODE=1 python3 %s/tests/integration/%s bytes",
	    top, program);
	return (go_ask(bytes, command));
}

static __attribute__((unused)) const char *
traced_check(const struct pp_buf *bytes)
{
	return (traced_judge(bytes, "tracefile.py"));
}

#endif
