/*
 * The application's own profiles, at the names that it has given them. Custom
 * profiles come and go with the workers, so they are not in the table of
 * endpoints. If a custom profile has the name of an endpoint, clients cannot
 * ask for it.
 */
#include <string.h>

#include "counts/custom_profile.h"
#include "encode/text/text_count.h"
#include "service/endpoints/endpoint.h"
#include "service/http/query.h"

/* Whether the path is the name, with or without %-escapes. */
static int
custom_matches(const char *path, const char *name)
{
	int high, low;

	if (strcmp(path, name) == 0)
		return (1);
	for (; *name != '\0'; name++, path++) {
		if (*path == '%' && (high = pp_query_digit(path[1])) != -1 &&
		    (low = pp_query_digit(path[2])) != -1) {
			if (*name != (char)(high << 4 | low))
				return (0);
			path += 2;
		} else if (*path != *name) {
			return (0);
		}
	}
	return (*path == '\0');
}

int
pp_ep_custom_find(struct pp_task *task, const char *path)
{
	struct pp_counts_custom_names list;
	uint32_t i;

	if (*path++ != '/')
		return (0);
	pp_counts_custom_names(task->service->resolver, &list);
	for (i = 0; i < list.used; i++) {
		if (!custom_matches(path, list.name[i]))
			continue;
		memcpy(pp_named_state(task)->custom, list.name[i],
		    PP_CUSTOM_NAME_MAX);
		return (1);
	}
	return (0);
}

static struct pp_profile *
custom_take(struct pp_task *task)
{
	return (pp_counts_custom_profile(task->service->resolver,
	    pp_named_state(task)->custom));
}

static int
custom_text(struct pp_task *task)
{
	return (pp_named_text_count(task, custom_take(task), NULL));
}

static const struct pp_named custom_named = { .take = custom_take,
	.text = custom_text };

const struct pp_endpoint pp_ep_custom = { .name = "",
	.methods = PP_TAKES_GET,
	.begin = pp_named_begin,
	.finish = pp_named_finish,
	.cancel = pp_named_cancel,
	.tick = pp_named_tick,
	.named = &custom_named };
