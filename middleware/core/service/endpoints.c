/*
 * The table of endpoints. What they do is in ep_*.c.
 *
 * Rule: sorted by name, the way the index page shows them.
 */
#include <string.h>

#include "service/endpoint.h"

const struct pp_endpoint pp_endpoints[] = {
	{ "", NULL, PP_TAKES_GET, NULL, pp_ep_index_begin, NULL, NULL },
	{ "assets/", NULL, PP_TAKES_GET, NULL, pp_ep_asset_begin, NULL, NULL },
	{ "cmdline",
	    "The command line of the service, its arguments separated by NUL "
	    "bytes.",
	    PP_TAKES_GET, NULL, pp_ep_cmdline_begin, NULL, NULL },
	{ "profile",
	    "Where all workers spend their CPU time, by function and route. "
	    "seconds= sets how long, hz= how often; the count is of those "
	    "running now.",
	    PP_TAKES_GET, pp_ep_profile_count, pp_ep_profile_begin,
	    pp_ep_profile_finish, pp_ep_profile_cancel },
	{ "symbol",
	    "Names for the addresses in a POST body or in the query, "
	    "separated by '+'. go tool pprof asks here by itself.",
	    PP_TAKES_GET | PP_TAKES_POST, NULL, pp_ep_symbol_begin, NULL,
	    NULL },
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
