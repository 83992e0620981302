/* See state.h: Kore 4.1, where each request has a function of its own. */
#include "state.h"

#if !defined(APP_KORE_42)

#include <kore/http.h>

void *
state_create(struct http_request *req, size_t len,
    void (*freed)(struct http_request *))
{
	return (http_state_create(req, len, freed));
}

void
state_forget(struct http_request *req)
{
	req->onfree = NULL;
}

/* Requests that are left end at once. */
void
state_leave(void)
{
}

#endif
