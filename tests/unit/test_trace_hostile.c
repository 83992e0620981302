/*
 * Whatever is in a trace ring, the file keeps the rules of the format: records
 * at random, records missing, rings and heads written over, workers that come
 * and go, sessions that begin and end in the middle. Each file is judged by
 * tests/integration/tracefile.py, some by Go.
 *
 * Built twice: as it is, and as test_trace_full with limits so small that
 * everything is full (small.mk).
 *
 * needs: a core, 16 s
 */
#include "encode/trace/trace_perfetto.h"
#include "trace_fixture.h"

#define SESSIONS 3
#define SEEDS	 5
#define STEPS	 1500

struct play {
	struct traced d;
	uint64_t seed;
	struct pp_go *go[SESSIONS];
	struct pp_tracer_session *session[SESSIONS];
	uint32_t label[3];
	struct pp_perfetto *perfetto;
	struct pp_tracer_session *perfetto_session;
	uint32_t files, events;
};

static uint64_t
draw(struct play *play, uint64_t below)
{
	play->seed = pp_mix(play->seed, 0x1234567);
	return (play->seed % below);
}

/* An id of those in use, now and then another one or none. */
static uint64_t
draw_id(struct play *play)
{
	switch (draw(play, 20)) {
	case 0:
		return (0);
	case 1:
		return (UINT64_MAX - draw(play, 3));
	case 2:
		return (draw(play, 100000));
	default:
		return (1 + draw(play, 9));
	}
}

static int64_t
draw_time(struct play *play)
{
	int64_t now = pp_clock_mono();

	switch (draw(play, 30)) {
	case 0:
		return (0);
	case 1:
		return (INT64_MAX);
	case 2:
		return (-1);
	case 3:
		return (now - PP_NS_PER_SEC);
	default:
		return (now - (int64_t)draw(play, 50 * US));
	}
}

static void
play_record(struct play *play)
{
	uint64_t record[PP_TRACE_RECORD_MAX] = { 0 };
	uint32_t slot = 1 + (uint32_t)draw(play, 2), i, words;
	uint32_t place = draw(play, 3) == 0 ? (uint32_t)draw(play, 5) : 0;
	uint32_t n = (uint32_t)draw(play, 14), m, kind;
	struct pp_slot *to = &play->d.c.f.arena->slot[slot];

	kind = (uint32_t)draw(play, PP_TRACE_COUNT);
	if (draw(play, 50) == 0)
		kind = (uint32_t)draw(play, 256);
	words = 7 + (uint32_t)draw(play, 4);
	if (draw(play, 20) == 0)
		words = 2 + (uint32_t)draw(play, 8);
	m = draw(play, 4) == 0 ? (uint32_t)draw(play, 1 << 20)
			       : play->label[slot];
	if (draw(play, 10) == 0)
		n = (uint32_t)draw(play, 1 << 16);
	for (i = 2; i < words; i++)
		record[i] = draw(play, 2) ? draw_id(play) : draw(play, 300);
	record[2] = kind == PP_TRACE_BEGIN && draw(play, 8) != 0
	    ? (uint64_t)PID << 32 | 70
	    : draw_id(play);
	record[0] = pp_trace_head((enum pp_trace_kind)kind, words, n, m);
	record[1] = (uint64_t)draw_time(play);
	if (to->threads_used <= place)
		to->threads_used = place + 1;
	(void)pp_record_put(to, place, record);
}

/* The longest text there may be, and bytes that are no UTF-8. */
static void
play_text(struct play *play)
{
	uint64_t record[PP_TRACE_RECORD_MAX];

	memset(record, draw(play, 2) ? 0xff : 'x', sizeof(record));
	record[0] = pp_trace_head(PP_TRACE_USER_LOG, PP_TRACE_RECORD_MAX,
	    (uint32_t)draw(play, 600), (uint32_t)draw(play, 600));
	record[1] = (uint64_t)pp_clock_mono();
	record[2] = 0;
	(void)pp_record_put(&play->d.c.f.arena->slot[1], 0, record);
}

static void
play_damage(struct play *play)
{
	struct pp_slot *to =
	    &play->d.c.f.arena->slot[1 + (uint32_t)draw(play, 2)];
	uint32_t place = (uint32_t)draw(play, 4), size;
	_Atomic uint64_t *words = pp_trace_words(to, place, &size);

	switch (draw(play, 6)) {
	case 0:
		to->trace[place].head += draw(play, 40);
		break;
	case 1:
		to->trace[place].tail -= draw(play, 40);
		break;
	case 2:
		words[to->trace[place].tail % size] = draw(play, UINT64_MAX);
		break;
	case 3:
		to->threads_used = (uint32_t)draw(play, 1 << 20);
		break;
	case 4:
		to->inflights.used = (uint32_t)draw(play, 100);
		to->inflights.inflight[draw(play, 50)].id = draw_id(play);
		to->inflights.running = draw_id(play);
		break;
	default:
		/* Ended, or here again. */
		to->life.pid = to->life.pid == 0;
		to->life.generation++;
		to->life.last_status = (int)draw(play, 1 << 16);
	}
}

static void
play_end(struct play *play, uint32_t i)
{
	struct pp_buf bytes;

	play->events += (uint32_t)pp_go_events(play->go[i]);
	bytes = traced_file(&play->d, play->session[i], play->go[i]);
	play->go[i] = NULL;
	(void)traced_check(&bytes);
	if (play->files++ % 3 == 0)
		(void)go_ask(&bytes,
		    "sh -c 'go tool trace -pprof=sync bytes >sync'");
	pp_buf_free(&bytes);
}

/* The other form, from the begin to the end. */
static void
play_perfetto_begin(struct play *play)
{
	play->perfetto = pp_perfetto_new(play->d.tracer, pp_clock_mono(),
	    draw(play, 2) ? 1 << 14 : 1 << 20);
	assert_non_null(play->perfetto);
	play->perfetto_session =
	    pp_tracer_begin(play->d.tracer, pp_perfetto_event, play->perfetto);
	assert_non_null(play->perfetto_session);
}

static void
play_perfetto_end(struct play *play)
{
	struct pp_buf bytes;
	uint64_t len;
	int fd;

	pp_tracer_stop(play->perfetto_session);
	fd = pp_perfetto_finish(play->perfetto, &len);
	bytes = traced_bytes(fd, len);
	(void)traced_judge(&bytes, "perfetto.py");
	pp_buf_free(&bytes);
	pp_tracer_end(play->perfetto_session);
	pp_perfetto_free(play->perfetto);
}

static void
play_session(struct play *play)
{
	uint32_t i = (uint32_t)draw(play, SESSIONS);

	if (play->go[i] != NULL) {
		play_end(play, i);
		return;
	}
	play->go[i] =
	    pp_go_new(pp_clock_mono(), draw(play, 4) == 0 ? 1 << 12 : 1 << 20);
	assert_non_null(play->go[i]);
	play->session[i] =
	    pp_tracer_begin(play->d.tracer, pp_go_event, play->go[i]);
	assert_non_null(play->session[i]);
}

static void
play_once(struct play *play, uint64_t seed)
{
	uint64_t word = EXE_START + 0x100;
	uint32_t i;

	memset(play, 0, sizeof(*play));
	play->seed = seed;
	play->d = traced_new();
	play->d.c.f.arena->slot[2].life.pid = PID;
	for (i = 1; i < 3; i++)
		play->label[i] = put_label(&play->d, i);
	play_perfetto_begin(play);
	play_session(play);
	for (i = 0; i < STEPS; i++) {
		play_record(play);
		if (draw(play, 100) == 0)
			play_text(play);
		if (draw(play, 30) == 0)
			pp_tracer_tick(play->d.tracer, pp_clock_mono());
		if (draw(play, 150) == 0)
			play_damage(play);
		if (draw(play, 300) == 0)
			play_session(play);
		if (draw(play, 40) == 0)
			pp_tracer_sample(play->d.tracer, 1, 70, draw_time(play),
			    draw_id(play), &word, 1);
		if (draw(play, 100) == 0)
			pp_tracer_heap(play->d.tracer, draw(play, 1 << 30));
	}
	for (i = 0; i < SESSIONS; i++) {
		if (play->go[i] != NULL)
			play_end(play, i);
	}
	play_perfetto_end(play);
	traced_free(&play->d);
}

static void
no_ring_makes_a_file_that_does_not_open(void **state)
{
	static struct play play;
	uint32_t seed, files = 0, events = 0;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++) {
		play_once(&play, seed);
		files += play.files;
		events += play.events;
	}
	print_message("%u files with %u events\n", files, events);
	assert_in_range(files, SEEDS, SEEDS * 20);
	assert_true(events > files * 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_ring_makes_a_file_that_does_not_open),
	};

	return (cmocka_run_group_tests(tests, go_prepare, go_clean));
}
