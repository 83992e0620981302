/*
 * A window of the recorder as a profile: the slices of the window are added to
 * a session made for it, which becomes a profile as any other session does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cpu/recorder_private.h"

struct window {
	int64_t from, to, now;
	struct pp_cpu cpu; /* of this profile alone: no rings, no rate */
	struct pp_cpu_session *session;
	uint32_t slices;
};

/* A slice belongs to the window if at least half of the slice lies in the
 * window, or if their common part is at least half of the window. */
static int
window_has(const struct window *window, const struct pp_slice *slice)
{
	int64_t from = slice->begun_ns, to = slice->ended_ns, whole, window_ns;

	whole = to - from;
	window_ns = window->to - window->from;
	if (from < window->from)
		from = window->from;
	if (to > window->to)
		to = window->to;
	return (to > from &&
	    2 * (to - from) >= (whole < window_ns ? whole : window_ns));
}

static void
window_add(struct window *window, const struct pp_slice *slice)
{
	if (!window_has(window, slice))
		return;
	if (window->slices++ == 0)
		window->session->wall_ns = slice->wall_ns;
	pp_slice_unpack(slice, window->session);
}

static int
window_open(struct window *window, const struct pp_recorder *recorder)
{
	const struct pp_cpu *from = recorder->cpu;
	struct pp_cpu *cpu = &window->cpu;

	cpu->arena = from->arena;
	cpu->slots = from->slots;
	cpu->map = from->map;
	cpu->samples_max = from->samples_max;
	cpu->words_max = from->words_max < PP_RECORDER_WORDS_MAX
	    ? from->words_max
	    : PP_RECORDER_WORDS_MAX;
	cpu->stacks = pp_stacks_new(cpu->words_max);
	cpu->labels = pp_labels_new();
	if (cpu->stacks != NULL && cpu->labels != NULL)
		window->session = pp_cpu_session_new(cpu, recorder->hz);
	return (window->session == NULL ? -1 : 0);
}

static void
window_close(struct window *window)
{
	pp_cpu_session_free(window->session);
	pp_stacks_free(window->cpu.stacks);
	pp_labels_free(window->cpu.labels);
	free(window);
}

static struct pp_profile *
window_profile(struct window *window, struct pp_recorder *recorder)
{
	struct pp_profile *profile;
	struct pp_slice open;
	uint32_t i;

	for (i = 0; i < recorder->slices; i++)
		window_add(window, pp_recorder_slice(recorder, i));
	if (pp_recorder_peek(recorder, &open) == 0) {
		/* An open slice that has just begun has gone on while it
		 * was copied: the greater part of it would lie behind the
		 * window. */
		if (open.ended_ns > window->now && open.begun_ns < window->now)
			open.ended_ns = window->now;
		window_add(window, &open);
		pp_buf_free(&open.data);
	}
	errno = ENOENT;
	if (window->slices == 0)
		return (NULL);
	profile = pp_cpu_profile(window->session);
	if (profile == NULL) {
		errno = ENOMEM;
		return (NULL);
	}
	pp_profile_comment(profile, "recorder_slices=%u", window->slices);
	pp_profile_comment(profile, "recorder_slices_dropped=%llu",
	    (unsigned long long)recorder->dropped);
	return (profile);
}

struct pp_profile *
pp_recorder_profile(struct pp_recorder *recorder, int64_t now, int64_t since_s,
    int64_t until_s)
{
	struct pp_profile *profile = NULL;
	struct window *window;
	int saved;

	if (recorder->session == NULL) {
		errno = ENOENT;
		return (NULL);
	}
	if ((window = calloc(1, sizeof(*window))) == NULL)
		return (NULL);
	window->now = now;
	window->from = now - since_s * PP_NS_PER_SEC;
	window->to = now - until_s * PP_NS_PER_SEC;
	errno = ENOMEM;
	if (window_open(window, recorder) == 0)
		profile = window_profile(window, recorder);
	saved = errno;
	window_close(window);
	errno = saved;
	return (profile);
}
