/*
 * The index page: which endpoints there are, which workers run, what was lost.
 * The code gathers values; assets/index.html says how they look.
 *
 * Rule: everything shown is read from the arena now and may be a lie; texts
 * are bounded here and escaped by the template.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "counts/custom_profile.h"
#include "live/activity.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/assets.h"
#include "service/http/template.h"

/* Writes how long ago it was, "3 d 4 h": the two largest units. */
static void
index_span(char *out, size_t room, int64_t began)
{
	long long s = pp_clock_ago(pp_clock_wall(), began) / PP_NS_PER_SEC;

	if (s < 60)
		snprintf(out, room, "%lld s", s);
	else if (s < 3600)
		snprintf(out, room, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, room, "%lld h %lld min", s / 3600, s % 3600 / 60);
	else
		snprintf(out, room, "%lld d %lld h", s / 86400,
		    s % 86400 / 3600);
}

/* What scripts may offer for an endpoint: "hz" a window and a rate, "time" a
 * window, "delta" what is now and what changes, "now" what is now, "" nothing.
 */
static const char *
index_takes(const struct pp_endpoint *endpoint)
{
	if (endpoint->begin == pp_ep_profile_begin)
		return ("hz");
	if (endpoint->begin == pp_ep_trace_begin)
		return ("time");
	if (endpoint->named == NULL)
		return ("");
	return (endpoint->named->delta ? "delta" : "now");
}

static void
index_endpoints(const struct pp_service *service, struct pp_view *page)
{
	const struct pp_endpoint *endpoint;
	struct pp_view *row;
	uint64_t count;
	size_t i;

	for (i = 0; i < service->endpoints_count; i++) {
		endpoint = &service->endpoints[i];
		if (endpoint->sentence == NULL)
			continue;
		count = endpoint->count == NULL ? 0 : endpoint->count(service);
		row = pp_view_row(page, "endpoint");
		pp_view_set(row, "name", "%s", endpoint->name);
		pp_view_set(row, "count", "%llu", (unsigned long long)count);
		pp_view_set(row, "sentence", "%s", endpoint->sentence);
		pp_view_set(row, "takes", "%s", index_takes(endpoint));
	}
}

/* Writes a name as part of a link: the application may have used any printable
 * character but the slash. */
static void
index_link(char out[3 * PP_CUSTOM_NAME_MAX], const char *name)
{
	char *to = out;

	for (; *name != '\0'; name++) {
		if (isalnum((unsigned char)*name) ||
		    strchr("-._~", *name) != NULL)
			*to++ = *name;
		else
			to += sprintf(to, "%%%02x", (unsigned char)*name);
	}
	*to = '\0';
}

static void
index_custom(const struct pp_service *service, struct pp_view *page)
{
	char link[3 * PP_CUSTOM_NAME_MAX];
	struct pp_counts_custom_names list;
	struct pp_view *row;
	uint32_t i;

	pp_counts_custom_names(service->resolver, &list);
	for (i = 0; i < list.used; i++) {
		index_link(link, list.name[i]);
		row = pp_view_row(page, "own");
		pp_view_set(row, "name", "%s", list.name[i]);
		pp_view_set(row, "link", "%s", link);
		pp_view_set(row, "count", "%llu",
		    (unsigned long long)list.held[i]);
	}
	if (list.dropped > 0)
		pp_view_set(page, "own_dropped", "%u", list.dropped);
}

/* The worker's memory by the kernel's account; the worker is not asked. */
static void
index_rss(const struct pp_service *service, uint32_t slot, struct pp_view *row)
{
	struct pp_memory_worker worker;

	pp_memory_read(service->memory, slot, 0, &worker);
	if (worker.has_kernel)
		pp_view_set(row, "rss", "%.1f MiB",
		    (double)worker.kernel.rss / (1024 * 1024));
	else
		pp_view_set(row, "rss", "–");
}

/* Slots 1.. are the workers. Returns how many of them run. */
static unsigned int
index_workers(const struct pp_service *service, struct pp_view *page)
{
	uint32_t in_flight, all = 0;
	struct pp_life *life;
	struct pp_view *row;
	unsigned int running = 0;
	int64_t cpu_ns;
	char up[32];
	uint32_t i;
	pid_t pid;

	for (i = 1; i < service->slots; i++) {
		life = &service->arena->slot[i].life;
		row = pp_view_row(page, "worker");
		in_flight = 0;
		pid = atomic_load(&life->pid);
		cpu_ns = atomic_load(&life->dead_cpu_ns);
		if (pid > 0) {
			running++;
			cpu_ns = (int64_t)((uint64_t)cpu_ns +
			    (uint64_t)pp_clock_process_cpu(pid));
			index_span(up, sizeof(up),
			    atomic_load(&life->started_ns));
			pp_view_set(row, "pid", "%d", (int)pid);
			pp_view_set(row, "up", "%s", up);
			in_flight = pp_activity_requests(service->resolver, i);
			all += in_flight;
		} else {
			pp_view_set(row, "pid", "%s", "");
		}
		pp_view_set(row, "number", "%u", i);
		pp_view_set(row, "cpu", "%.2f", (double)cpu_ns / PP_NS_PER_SEC);
		pp_view_set(row, "in_flight", "%u", in_flight);
		index_rss(service, i, row);
		pp_view_set(row, "deaths", "%u", atomic_load(&life->deaths));
	}
	pp_view_set(page, "in_flight", "%u", all);
	return (running);
}

static void
index_rate(struct pp_view *page, const char *name, uint64_t value,
    const char *sentence)
{
	struct pp_view *row = pp_view_row(page, "rate");

	pp_view_set(row, "name", "%s", name);
	pp_view_set(row, "value", "%llu", (unsigned long long)value);
	if (value == 0)
		pp_view_set(row, "shown", "off");
	else
		pp_view_set(row, "shown", "%llu", (unsigned long long)value);
	pp_view_set(row, "sentence", "%s", sentence);
}

static void
index_rates(const struct pp_service *service, struct pp_view *page)
{
	const struct pp_control *control = &service->arena->control;

	index_rate(page, "heap_rate", atomic_load(&control->heap_rate),
	    "bytes between two heap samples, on average");
	index_rate(page, "block_rate", atomic_load(&control->block_rate_ns),
	    "nanoseconds waited between two block samples, on average");
	index_rate(page, "mutex_fraction",
	    atomic_load(&control->mutex_fraction),
	    "one contention in so many is sampled");
	pp_view_set(page, "settings_locked", "%s",
	    service->settings_locked
		? "PPROF_SETTINGS=0: requests change none of these."
		: "");
}

static void
index_losses(const struct pp_service *service, struct pp_view *page)
{
	static const struct {
		const char *key, *sentence;
	} loss[] = {
#define INDEX_LOSS(name, key, sentence) { key, sentence },
		PP_LOSS_TABLE(INDEX_LOSS)
	};
	struct pp_view *row;
	uint64_t count;
	uint32_t slot;
	size_t i;
	int any = 0;

	for (i = 0; i < PP_LOSS_COUNT; i++) {
		count = 0;
		for (slot = 0; slot < service->slots; slot++)
			count += atomic_load_explicit(
			    &service->arena->slot[slot].loss[i],
			    memory_order_relaxed);
		if (count == 0)
			continue;
		any = 1;
		row = pp_view_row(page, "loss");
		pp_view_set(row, "key", "%s", loss[i].key);
		pp_view_set(row, "sentence", "%s", loss[i].sentence);
		pp_view_set(row, "count", "%llu", (unsigned long long)count);
	}
	pp_view_set(page, "any_loss", "%s", any ? "yes" : "");
}

static void
index_fill(const struct pp_service *service, const struct pp_request *request,
    struct pp_view *page)
{
	const struct pp_arena *arena = service->arena;
	char up[32];

	index_span(up, sizeof(up), arena->started_ns);
	pp_view_set(page, "prefix", "%s", request->prefix);
	pp_view_set(page, "server", "%.*s", (int)sizeof(arena->server),
	    arena->server);
	pp_view_set(page, "uptime", "%s", up);
	pp_view_set(page, "slots", "%u",
	    service->slots > 0 ? service->slots - 1 : 0);
	pp_view_set(page, "seconds", "%d", PP_SECONDS_PAGE);
	pp_view_set(page, "seconds_max", "%d", PP_SECONDS_MAX);
	pp_view_set(page, "hz", "%d", PP_HZ_DEFAULT);
	pp_view_set(page, "hz_min", "%d", PP_HZ_MIN);
	pp_view_set(page, "hz_max", "%d", PP_HZ_MAX);
	index_endpoints(service, page);
	index_custom(service, page);
	pp_view_set(page, "running", "%u", index_workers(service, page));
	index_rates(service, page);
	index_losses(service, page);
}

void
pp_ep_index_begin(struct pp_task *task, const struct pp_request *request)
{
	const struct pp_asset *asset = pp_asset_find("index.html");
	struct pp_view *page;

	page = pp_view_new();
	if (page != NULL)
		index_fill(task->service, request, page);
	pp_answer_start(&task->answer, 200, PP_TYPE_HTML);
	pp_answer_header(&task->answer, "cache-control", "no-cache");
	pp_answer_header(&task->answer, "content-security-policy",
	    PP_PAGE_POLICY);
	if (pp_template_render(asset->data, asset->len, page,
		&task->answer.body) != 0)
		pp_answer_error(&task->answer, 500,
		    "The index page could not be written");
	pp_view_free(page);
}
