/*
 * A single binary whose handler asks another server by Kore's libcurl, and is
 * asleep until that has answered. Not a module.
 */
#include <kore/kore.h>
#include <kore/curl.h>
#include <kore/http.h>

#include <stdlib.h>

int page(struct http_request *);
int page_fetch(struct http_request *);
void kore_parent_configure(int, char **);

void
kore_parent_configure(int argc, char **argv)
{
	kore_default_getopt(argc, argv);
}

int
page(struct http_request *req)
{
	http_response(req, 200, "ok", 2);
	return (KORE_RESULT_OK);
}

int
page_fetch(struct http_request *req)
{
	struct kore_curl *client = req->hdlr_extra;

	if (client == NULL) {
		client = kore_calloc(1, sizeof(*client));
		req->hdlr_extra = client;
		if (!kore_curl_init(client, getenv("TEST_URL"),
			KORE_CURL_ASYNC))
			return (KORE_RESULT_ERROR);
		kore_curl_http_setup(client, HTTP_METHOD_GET, NULL, 0);
		kore_curl_bind_request(client, req);
		kore_curl_run(client);
		return (KORE_RESULT_RETRY);
	}
	http_response(req, kore_curl_success(client) ? 200 : 502, "ok", 2);
	kore_curl_cleanup(client);
	return (KORE_RESULT_OK);
}
