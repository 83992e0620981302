/*
 * assets/: the files that the pages load. A browser asks again each time and
 * gets 304 while nothing has changed.
 */
#include <string.h>

#include "service/answer.h"
#include "service/assets.h"
#include "service/endpoint.h"

/* The tag has quotes of its own, so finding it in the list is enough. */
static int
asset_known(const char *match, const char *tag)
{
	return (match != NULL &&
	    (strcmp(match, "*") == 0 || strstr(match, tag) != NULL));
}

void
pp_ep_asset_begin(struct pp_task *task, const struct pp_request *request)
{
	const struct pp_asset *asset;
	char tag[PP_ASSET_TAG_MAX];
	int known;

	asset = pp_asset_find(request->path + strlen("/assets/"));
	if (asset == NULL || asset->type == NULL) {
		pp_answer_error(&task->answer, 404, "Unknown profile");
		return;
	}
	pp_asset_tag(asset, tag);
	known = asset_known(request->match, tag);
	pp_answer_start(&task->answer, known ? 304 : 200,
	    known ? NULL : asset->type);
	pp_answer_header(&task->answer, "etag", tag);
	pp_answer_header(&task->answer, "cache-control", "no-cache");
	pp_answer_header(&task->answer, "content-security-policy",
	    PP_PAGE_POLICY);
	if (!known)
		pp_buf_append(&task->answer.body, asset->data, asset->len);
}
