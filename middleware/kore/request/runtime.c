/*
 * The wrapper around every handler: while the handler runs, route and method
 * are the thread's labels.
 *
 * Kore calls native handlers and validators through kore_native_runtime, a
 * writable global. The change of that global is made once, in the parent, and
 * outlives reloads.
 *
 * Rule: the wrapped functions get what Kore gave, and their result is returned.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/hot_path.h"
#include "capture/label.h"
#include "hook/loader.h"
#include "kore/adapter.h"

PP_HOT_PATH_DATA static int (*real_request)(void *, struct http_request *);
static int (*real_validator)(void *, struct http_request *, const void *);

PP_HOT_PATH static int
runtime_request(void *handler, struct http_request *req)
{
	unsigned int depth;
	uint32_t was, label;
	int result;

	if (pp_self.worker == 0)
		return (real_request(handler, req));
	pp_loader_catch_up();
	label = pp_kore_route_label(req);
	pp_inflight_run(req, label);
	depth = pp_label_depth;
	was = pp_label_swap(label);
	result = real_request(handler, req);
	pp_label_unwind(depth);
	(void)pp_label_swap(was);
	pp_inflight_ran(req, result != KORE_RESULT_RETRY);
	return (result);
}

static int
runtime_validator(void *validator, struct http_request *req, const void *data)
{
	uint32_t was;
	int result;

	if (req == NULL)
		return (real_validator(validator, req, data));
	was = pp_label_swap(pp_kore_route_label(req));
	result = real_validator(validator, req, data);
	(void)pp_label_swap(was);
	return (result);
}

void
pp_runtime_wrap(void)
{
	real_request = kore_native_runtime.http_request;
	real_validator = kore_native_runtime.validator;
	kore_native_runtime.http_request = runtime_request;
	kore_native_runtime.validator = runtime_validator;
}
