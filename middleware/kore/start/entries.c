/*
 * The table of Kore's own functions that are followed. They are followed by
 * their entry, so that calls inside kore are seen, too; where a patch is
 * refused, they are followed by the modules' call tables.
 *
 * Rule: a group is patched whole or not at all: to see a beginning and never
 * its end would be worse than to see neither.
 */
#include <kore/kore.h>

#include <dlfcn.h>
#include <string.h>

#include "hook/entry.h"
#include "kore/adapter.h"

static const struct pp_got_hook memory_group[] = {
	{ "kore_malloc", (void *)pp_kore_malloc, (void **)&pp_kore_real_malloc,
	    PP_GOT_LIBRARIES },
	{ "kore_realloc", (void *)pp_kore_realloc,
	    (void **)&pp_kore_real_realloc, PP_GOT_LIBRARIES },
	{ "kore_free", (void *)pp_kore_free, (void **)&pp_kore_real_free,
	    PP_GOT_LIBRARIES },
	/* Inside kore, these two call kore_malloc(). */
	{ "kore_calloc", (void *)pp_kore_calloc, (void **)&pp_kore_real_calloc,
	    PP_GOT_LIBRARIES },
	{ "kore_strdup", (void *)pp_kore_strdup, (void **)&pp_kore_real_strdup,
	    PP_GOT_LIBRARIES },
};

static const struct pp_got_hook inflight_group[] = {
	{ "http_request_sleep", (void *)pp_inflight_sleep,
	    (void **)&pp_inflight_real_sleep, PP_GOT_LIBRARIES },
	{ "http_request_wakeup", (void *)pp_inflight_wakeup,
	    (void **)&pp_inflight_real_wakeup, PP_GOT_LIBRARIES },
	{ "http_request_free", (void *)pp_inflight_free,
	    (void **)&pp_inflight_real_free, PP_GOT_LIBRARIES },
	{ "http_runlock_acquire", (void *)pp_inflight_acquire,
	    (void **)&pp_inflight_real_acquire, PP_GOT_LIBRARIES },
	{ "http_runlock_release", (void *)pp_inflight_release,
	    (void **)&pp_inflight_real_release, PP_GOT_LIBRARIES },
};

/* Only an application calls these functions. In a single binary the application
 * is the program itself. */
static const struct pp_got_hook calls_group[] = {
	{ "kore_task_run", (void *)pp_kore_task_run,
	    (void **)&pp_kore_task_real_run, PP_GOT_LIBRARIES },
	{ "kore_timer_add", (void *)pp_inflight_timer_add,
	    (void **)&pp_inflight_real_timer_add, PP_GOT_LIBRARIES },
};

static const struct pp_got_hook channel_group[] = {
	{ "kore_task_channel_read", (void *)pp_kore_task_channel_read,
	    (void **)&pp_kore_task_real_channel_read, PP_GOT_LIBRARIES },
	{ "kore_task_channel_write", (void *)pp_kore_task_channel_write,
	    (void **)&pp_kore_task_real_channel_write, PP_GOT_LIBRARIES },
};

/* Kore has this function only if it was built with CURL=1. */
static const struct pp_got_hook curl_group[] = {
	{ "kore_curl_bind_request", (void *)pp_inflight_bind_curl,
	    (void **)&pp_inflight_real_bind_curl, PP_GOT_LIBRARIES },
};

static const struct pp_got_hook answers_group[] = {
	{ "http_response", (void *)pp_inflight_response,
	    (void **)&pp_inflight_real_response, PP_GOT_LIBRARIES },
	{ "http_response_stream", (void *)pp_inflight_stream,
	    (void **)&pp_inflight_real_stream, PP_GOT_LIBRARIES },
	{ "http_response_fileref", (void *)pp_inflight_fileref,
	    (void **)&pp_inflight_real_fileref, PP_GOT_LIBRARIES },
};

/* Only Kore 4.2 has this function. */
static const struct pp_got_hook close_group[] = {
	{ "http_response_close", (void *)pp_inflight_close,
	    (void **)&pp_inflight_real_close, PP_GOT_LIBRARIES },
};

static const struct pp_got_hook instants_group[] = {
	{ "http_header_recv", (void *)pp_arrive_header_recv,
	    (void **)&pp_history_real_header_recv, PP_GOT_LIBRARIES },
	{ "kore_connection_accept", (void *)pp_instants_accept,
	    (void **)&pp_instants_real_accept, PP_GOT_LIBRARIES },
	{ "kore_timer_run", (void *)pp_instants_timer_run,
	    (void **)&pp_instants_real_timer_run, PP_GOT_LIBRARIES },
	{ "kore_module_reload", (void *)pp_instants_reload,
	    (void **)&pp_instants_real_reload, PP_GOT_LIBRARIES },
	{ "kore_msg_send", (void *)pp_instants_msg_send,
	    (void **)&pp_instants_real_msg_send, PP_GOT_LIBRARIES },
	{ "kore_msg_register", (void *)pp_instants_msg_register,
	    (void **)&pp_instants_real_msg_register, PP_GOT_LIBRARIES },
};

#define GROUP(group, by_entry, bit, what)                                      \
	{                                                                      \
		group, sizeof(group) / sizeof(group[0]), by_entry, bit, what   \
	}

static const struct {
	const struct pp_got_hook *hook;
	size_t hooks;
	size_t by_entry; /* how many entries are patched, of the first */
	enum pp_entries bit;
	const char *what;
} groups[] = {
	GROUP(memory_group, 3, PP_ENTRIES_MEMORY, "allocations"),
	GROUP(inflight_group, 5, PP_ENTRIES_INFLIGHT,
	    "requests that sleep and wake"),
	GROUP(calls_group, 2, PP_ENTRIES_CALLS, "tasks and timers"),
	GROUP(channel_group, 2, PP_ENTRIES_CALLS, "channels of tasks"),
	GROUP(curl_group, 1, PP_ENTRIES_CURL, "requests that wait for libcurl"),
	GROUP(answers_group, 3, PP_ENTRIES_ANSWERS, "bytes of answers"),
	GROUP(close_group, 1, PP_ENTRIES_ANSWERS, "bytes of last answers"),
	GROUP(instants_group, 6, PP_ENTRIES_INSTANTS,
	    "the server's own part of a trace"),
};

static int
entries_patch(const struct pp_got_hook *hook, size_t hooks, const char **why)
{
	void *target[PP_ENTRIES_MAX];
	size_t i;

	for (i = 0; i < hooks; i++) {
		target[i] = dlsym(RTLD_DEFAULT, hook[i].name);
		*why = "this kore does not export them";
		if (target[i] == NULL ||
		    pp_entry_patch(target[i], hook[i].replacement,
			hook[i].original, why) == -1)
			break;
	}
	if (i == hooks)
		return (0);
	while (i-- > 0) {
		pp_entry_restore(target[i], *hook[i].original);
		*hook[i].original = NULL;
	}
	return (-1);
}

size_t
pp_entries_follow(struct pp_got_hook *instead)
{
	const char *why, *last = NULL;
	char what[240] = "";
	size_t count = 0, i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if ((groups[i].hook == curl_group ||
			groups[i].hook == close_group) &&
		    dlsym(RTLD_DEFAULT, groups[i].hook->name) == NULL)
			continue;
		why = "PPROF_ENTRY_PATCH=0";
		if (pp_entry_wanted() &&
		    entries_patch(groups[i].hook, groups[i].by_entry, &why) ==
			0)
			continue;
		last = why;
		pp_kore.entry_refused |= groups[i].bit;
		(void)strcat(strcat(what, what[0] != '\0' ? ", " : ""),
		    groups[i].what);
		memcpy(instead + count, groups[i].hook,
		    groups[i].hooks * sizeof(*instead));
		count += groups[i].hooks;
	}
	if (last != NULL)
		pp_kore_log("seen of modules only, not inside kore: %s (%s)",
		    what, last);
	return (count);
}
