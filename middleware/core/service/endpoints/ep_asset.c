/*
 * assets/: the files that the pages load. A browser asks again each time and
 * gets 304 while nothing has changed.
 */
#include <string.h>

#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/assets.h"

/* An entity tag has quotes of its own, so finding it in the list is enough. */
static int
asset_known(const char *match, const char *tag)
{
	return (match != NULL &&
	    (strcmp(match, "*") == 0 || strstr(match, tag) != NULL));
}

void
pp_ep_asset_begin(struct pp_task *task, const struct pp_request *request)
{
	struct pp_answer *answer = &task->answer;
	const struct pp_asset *asset;
	char tag[PP_ASSET_TAG_MAX];
	int known, gzip;

	asset = pp_asset_find(request->path + strlen("/assets/"));
	if (asset == NULL || asset->type == NULL) {
		pp_answer_error(answer, 404, "Unknown profile");
		return;
	}
	gzip = pp_asset_takes_gzip(request->accept);
	pp_asset_tag(asset, gzip, tag);
	known = asset_known(request->match, tag);
	pp_answer_start(answer, known ? 304 : 200, known ? NULL : asset->type);
	pp_answer_header(answer, "etag", tag);
	pp_answer_header(answer, "cache-control", "no-cache");
	pp_answer_header(answer, "vary", "accept-encoding");
	pp_answer_header(answer, "content-security-policy", PP_PAGE_POLICY);
	if (known)
		return;
	if (gzip)
		pp_answer_header(answer, "content-encoding", "gzip");
	pp_buf_append(&answer->body, gzip ? asset->gz : asset->data,
	    gzip ? asset->gz_len : asset->len);
}
