/*
 * The table of endpoints. Their functions are in ep_*.c.
 *
 * Rule: sorted by name, the way the index page shows them.
 */
#include <string.h>

#include "service/endpoints.h"

#define NAMED(profile)                                                         \
	.begin = pp_named_begin, .finish = pp_named_finish,                    \
	.cancel = pp_named_cancel, .tick = pp_named_tick, .named = &(profile)

const struct pp_endpoint pp_endpoints[] = {
	{ .name = "", .methods = PP_TAKES_GET, .begin = pp_ep_index_begin },
	{ .name = "allocs",
	    .sentence = "What all workers have allocated since the service "
			"started, by function and route; also by workers that "
			"have ended. The count is of the sums kept.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_heap_count,
	    NAMED(pp_ep_allocs) },
	{ .name = "assets/",
	    .methods = PP_TAKES_GET,
	    .begin = pp_ep_asset_begin },
	{ .name = "block",
	    .sentence = "How long threads and requests of all workers have "
			"waited, where, in which route and for what. Off until "
			"a block_rate is set; the count is of the sums kept.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_block_count,
	    NAMED(pp_ep_block) },
	{ .name = "cmdline",
	    .sentence = "The command line of the service, its arguments "
			"separated by NUL bytes.",
	    .methods = PP_TAKES_GET,
	    .begin = pp_ep_cmdline_begin },
	{ .name = "doctor",
	    .sentence = "What this profiler can do here and what it cannot, "
			"what it has lost and what it costs, each with a "
			"verdict. format=json for programs.",
	    .methods = PP_TAKES_GET,
	    .begin = pp_doctor_begin,
	    .finish = pp_doctor_finish,
	    .cancel = pp_doctor_cancel,
	    .tick = pp_doctor_tick },
	{ .name = "goroutine",
	    .sentence = "Everything in progress now: requests, running or "
			"asleep, tasks and threads, by function and route. "
			"debug=2 shows them one by one.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_goroutine_count,
	    NAMED(pp_ep_goroutine) },
	{ .name = "heap",
	    .sentence = "What all workers hold now, by function and route. "
			"seconds= shows what has changed meanwhile, gc=1 lets "
			"them give free memory back before; as text it ends "
			"with what each worker's memory is made of.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_heap_count,
	    NAMED(pp_ep_heap) },
	{ .name = "mutex",
	    .sentence = "Who held the locks that others waited for, by the "
			"function that let go, and how long they waited. Off "
			"until a mutex_fraction is set; the count is of the "
			"sums kept.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_mutex_count,
	    NAMED(pp_ep_mutex) },
	{ .name = "profile",
	    .sentence = "Where all workers spend their CPU time, by function "
			"and route. seconds= sets how long, hz= how often; "
			"the count is of those running now.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_profile_count,
	    .begin = pp_ep_profile_begin,
	    .finish = pp_ep_profile_finish,
	    .cancel = pp_ep_profile_cancel,
	    .tick = pp_ep_profile_tick },
	{ .name = "routes",
	    .sentence = "Requests by route and method, of all workers, as "
			"JSON: counts, times, CPU and allocations as counters "
			"that only grow.",
	    .methods = PP_TAKES_GET,
	    .begin = pp_ep_routes_begin },
	{ .name = "settings",
	    .sentence = "How much is sampled: heap_rate, block_rate, "
			"mutex_fraction. POST sets them, with the header "
			"X-Pprof: 1.",
	    .methods = PP_TAKES_GET | PP_TAKES_POST,
	    .begin = pp_ep_settings_begin },
	{ .name = "stalls",
	    .sentence = "Handlers that held their worker for more than "
			"PPROF_STALL_MS, and workers that a signal has ended, "
			"with what they were doing; the last 100.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_stalls_count,
	    NAMED(pp_ep_stalls) },
	{ .name = "symbol",
	    .sentence = "Names for the addresses in a POST body or in the "
			"query, separated by '+'. go tool pprof asks here by "
			"itself.",
	    .methods = PP_TAKES_GET | PP_TAKES_POST,
	    .begin = pp_ep_symbol_begin },
	{ .name = "threadcreate",
	    .sentence = "Which functions have created the threads that run "
			"now, and the workers; as text also why workers have "
			"ended before.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_threadcreate_count,
	    NAMED(pp_ep_threadcreate) },
	{ .name = "trace",
	    .sentence = "What all workers do, moment by moment: requests, "
			"what they wait for, system calls, tasks. seconds= "
			"sets how long; for go tool trace. The count is of "
			"those running now.",
	    .methods = PP_TAKES_GET,
	    .count = pp_ep_trace_count,
	    .begin = pp_ep_trace_begin,
	    .finish = pp_ep_trace_finish,
	    .cancel = pp_ep_trace_cancel,
	    .tick = pp_ep_trace_tick },
};
const size_t pp_endpoints_count =
    sizeof(pp_endpoints) / sizeof(pp_endpoints[0]);

const struct pp_endpoint *
pp_endpoint_find(const char *path)
{
	const struct pp_endpoint *endpoint;
	size_t i, len;

	if (*path++ != '/')
		return (NULL);
	for (i = 0; i < pp_endpoints_count; i++) {
		endpoint = &pp_endpoints[i];
		len = strlen(endpoint->name);
		if (strcmp(path, endpoint->name) == 0)
			return (endpoint);
		if (len > 0 && endpoint->name[len - 1] == '/' &&
		    strncmp(path, endpoint->name, len) == 0)
			return (endpoint);
	}
	return (NULL);
}
