/*
 * See stall_text.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/endpoints/endpoint.h"
#include "service/endpoints/stall_text.h"

/* Frames of the top of the stack that are named, inlined ones among them: libc
 * and the vdso take three of them at times, and the handler should be seen. */
#define TOP_FRAMES 6

/*
 * Functions of the module are left out. One of them calls handlers; frames
 * below that one are of no interest.
 */
#define OURS	"pprof.so"
#define TOP_END "runtime_request"

static void __attribute__((format(printf, 2, 3)))
add(char out[PP_SENTENCE_MAX], const char *format, ...)
{
	size_t len = strlen(out);
	va_list args;

	va_start(args, format);
	vsnprintf(out + len, PP_SENTENCE_MAX - len, format, args);
	va_end(args);
}

static void
add_seconds(char out[PP_SENTENCE_MAX], int64_t ns)
{
	add(out, "%.2f s", (double)ns / PP_NS_PER_SEC);
}

static int
is_ours(const struct pp_service *service, uint64_t address)
{
	const struct pp_address_mapping *mapping;
	const char *base;
	int number;

	mapping = pp_address_map_find(service->map, address, &number);
	if (mapping == NULL)
		return (0);
	base = strrchr(mapping->object.name, '/');
	base = base != NULL ? base + 1 : mapping->object.name;
	return (strcmp(base, OURS) == 0);
}

static void
add_frame(const struct pp_frame *frame, char out[PP_SENTENCE_MAX])
{
	const char *base = strrchr(frame->file, '/');

	add(out, "%.64s", frame->function);
	if (frame->line > 0)
		add(out, " (%.64s:%d)", base != NULL ? base + 1 : frame->file,
		    frame->line);
}

/* "stall_spin (stall.c:55) < page_forever (stall.c:88)" */
static void
add_stack(struct pp_service *service, const uint64_t *word, uint32_t words,
    char out[PP_SENTENCE_MAX])
{
	struct pp_frame frame[PP_INLINES_MAX];
	uint32_t i, k, frames, shown = 0;

	for (i = 0; i < words && shown < TOP_FRAMES; i++) {
		frames = pp_service_frames(service, word[i], frame);
		if (frames > 0 && is_ours(service, word[i])) {
			if (strcmp(frame[frames - 1].function, TOP_END) == 0)
				return;
			continue;
		}
		if (frames == 0)
			add(out, "%s0x%llx", shown++ > 0 ? " < " : "",
			    (unsigned long long)word[i]);
		for (k = 0; k < frames && shown < TOP_FRAMES; k++) {
			add(out, "%s", shown++ > 0 ? " < " : "");
			add_frame(&frame[k], out);
		}
	}
}

/* "the handler of GET ^/fib/, asked for /fib/" */
static void
add_where(const struct pp_stall *stall, char out[PP_SENTENCE_MAX])
{
	const char *route, *method;

	route = pp_stalls_label(stall->label, stall->label_len, "http.route");
	method = pp_stalls_label(stall->label, stall->label_len, "http.method");
	if (!stall->handler) {
		add(out, "outside of handlers");
		return;
	}
	add(out, "in the handler of %.16s %.160s",
	    method != NULL ? method : "?", route != NULL ? route : "?");
	if (stall->path[0] != '\0' &&
	    (route == NULL || strcmp(route, stall->path) != 0))
		add(out, ", asked for %.*s", PP_INFLIGHT_PATH_MAX, stall->path);
}

static void
add_held(struct pp_service *service, const struct pp_stall *stall,
    char out[PP_SENTENCE_MAX])
{
	if (stall->died)
		add(out, "died after it had not turned its event loop for ");
	else if (stall->over)
		add(out, "goes on: it had not turned its event loop for ");
	else
		add(out, "has not turned its event loop for ");
	add_seconds(out, stall->held_ns);
	add(out, ", ");
	add_where(stall, out);
	if (stall->over)
		return;
	if (stall->words == 0) {
		add(out, "; it does not tell its stack");
		return;
	}
	if (stall->state != NULL)
		add(out, ", %s", stall->state);
	add(out, ": ");
	add_stack(service, stall->word, stall->words, out);
}

static void
add_inflights(const struct pp_stall_death *death, char out[PP_SENTENCE_MAX])
{
	const struct pp_stall_inflight *inflight;
	uint32_t i;

	add(out, "; %u in progress", death->inflights);
	for (i = 0; i < death->kept; i++) {
		inflight = &death->inflight[i];
		add(out, "%s%s%s%.120s for ", i == 0 ? ": " : ", ",
		    inflight->ran	 ? "running "
			: inflight->came ? "receiving "
					 : "",
		    inflight->task ? "a task of " : "", inflight->path);
		add_seconds(out, inflight->age_ns);
	}
}

static void
add_death(struct pp_service *service, const struct pp_stall *stall,
    char out[PP_SENTENCE_MAX])
{
	const struct pp_stall_death *death = stall->death;

	add(out, "was ended by signal %d ", death->signal);
	add_where(stall, out);
	if (stall->handler) {
		add(out, " for ");
		add_seconds(out, stall->held_ns);
	}
	add_inflights(death, out);
	if (death->samples > 0) {
		add(out, "; last seen at work ");
		add_seconds(out, death->sample[0].ago_ns);
		add(out, " before: ");
		add_stack(service, stall->word, stall->words, out);
	}
}

void
pp_ep_stall_sentence(struct pp_service *service, const struct pp_stall *stall,
    char out[PP_SENTENCE_MAX])
{
	char *c;

	snprintf(out, PP_SENTENCE_MAX, "worker %u (pid %d) ", stall->slot,
	    (int)stall->pid);
	if (stall->death != NULL)
		add_death(service, stall, out);
	else
		add_held(service, stall, out);
	for (c = out; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

/* Returns the name of the function itself, not of what is inlined there: a
 * function that waits is known by its name. */
const char *
pp_ep_stall_name(void *service, uint64_t address)
{
	struct pp_symbols *symbols = ((struct pp_service *)service)->symbols;
	static struct pp_frame frame[PP_INLINES_MAX];
	uint32_t frames;

	pp_symbols_quick(symbols, 1);
	frames = pp_service_frames(service, address, frame);
	pp_symbols_quick(symbols, 0);
	return (frames == 0 ? NULL : frame[frames - 1].function);
}

void
pp_ep_stall_log(void *arg, const struct pp_stall *stall)
{
	struct pp_service *service = arg;
	char sentence[PP_SENTENCE_MAX];

	pp_service_follow_objects(service);
	pp_symbols_quick(service->symbols, 1);
	pp_ep_stall_sentence(service, stall, sentence);
	pp_symbols_quick(service->symbols, 0);
	if (service->log != NULL)
		service->log(sentence);
}
