/*
 * One request at the own listener: what libmicrohttpd has read becomes a
 * request of the service, and the answer becomes what the library sends.
 *
 *     pp_visit_uri       the first line has come
 *     pp_visit_request   the headers; then each piece of a body; then the end;
 *                        and again when its answer is there
 *     pp_visit_completed the answer is sent, or the client has gone
 *
 * Rule: the same access rule as at the Kore routes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "collector/door_private.h"
#include "service/http/answer.h"

#define PREFIX	   "/debug/pprof"
#define URI_MAX	   (PP_REQUEST_PATH_MAX + 1 + PP_REQUEST_QUERY_MAX)
#define PREFIX_LEN (sizeof(PREFIX) - 1)

/*
 * A body that is a little too large is read to its end, since a client that
 * only sends would not read why it was cut off. If a body's length is larger
 * than this, the answer comes at once; if a body in chunks becomes larger, it
 * is cut off.
 */
#define BODY_READ_MAX (2ULL * PP_REQUEST_BODY_MAX)

static struct pp_visit *
visit_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return (info == NULL ? NULL : info->socket_context);
}

void
pp_visit_forget(struct pp_visit *visit)
{
	free(visit->uri);
	visit->uri = NULL;
	visit->headed = visit->large = 0;
	visit->came = 0;
	pp_buf_free(&visit->body);
	pp_answer_free(&visit->answer);
	pp_budget_file(-(int64_t)visit->sends);
	visit->sends = 0;
}

void *
pp_visit_uri(void *door, const char *uri, struct MHD_Connection *connection)
{
	struct pp_visit *visit = visit_of(connection);

	(void)door;
	if (visit != NULL) {
		pp_visit_forget(visit);
		if (strlen(uri) <= URI_MAX)
			visit->uri = strdup(uri);
	}
	return (NULL);
}

void
pp_visit_completed(void *door, struct MHD_Connection *connection, void **unused,
    enum MHD_RequestTerminationCode why)
{
	struct pp_visit *visit = visit_of(connection);

	(void)door;
	(void)unused;
	(void)why;
	if (visit == NULL)
		return;
	pp_visit_forget(visit);
	pp_visit_enter(visit, PP_VISIT_READS);
}

static void
visit_headers(struct MHD_Response *response, const struct pp_buf *headers)
{
	char line[PP_ANSWER_HEADERS_MAX], *value;
	const char *at = headers->data, *end;
	size_t left = headers->len;

	while (left > 0 && (end = memchr(at, '\n', left)) != NULL) {
		if ((size_t)(end - at) < sizeof(line)) {
			memcpy(line, at, (size_t)(end - at));
			line[end - at] = '\0';
			if ((value = strstr(line, ": ")) != NULL) {
				*value = '\0';
				(void)MHD_add_response_header(response, line,
				    value + 2);
			}
		}
		left -= (size_t)(end + 1 - at);
		at = end + 1;
	}
}

/* Give the visit's answer to the server, body and all. */
static enum MHD_Result
visit_send(struct pp_visit *visit)
{
	struct pp_answer *answer = &visit->answer;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (answer->file_len > 0)
		response = MHD_create_response_from_fd64(answer->file_len,
		    answer->file);
	else
		response = MHD_create_response_from_buffer(answer->body.len,
		    answer->body.data, MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return (MHD_NO);
	/* The server's now. */
	visit->sends = answer->file_len;
	if (answer->file_len > 0)
		answer->file_len = 0;
	else
		memset(&answer->body, 0, sizeof(answer->body));
	visit_headers(response, &answer->headers);
	result = MHD_queue_response(visit->connection,
	    (unsigned int)answer->status, response);
	MHD_destroy_response(response);
	pp_visit_enter(visit, PP_VISIT_SENDS);
	return (result);
}

static enum pp_method
visit_method(const char *method)
{
	if (strcmp(method, "GET") == 0)
		return (PP_METHOD_GET);
	if (strcmp(method, "HEAD") == 0)
		return (PP_METHOD_HEAD);
	if (strcmp(method, "POST") == 0)
		return (PP_METHOD_POST);
	return (PP_METHOD_OTHER);
}

struct visit_asked {
	struct pp_asked asked;
	const struct pp_allow *allow;
	int odd; /* 1: a name that Kore would not take for one */
};

/* What a name of a header is made of. */
#define TOKEN                                                                  \
	"!#$%&'*+-.^_`|~0123456789"                                            \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static enum MHD_Result
visit_header(void *arg, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct visit_asked *v = arg;

	(void)kind;
	if (name[0] == '\0' || name[strspn(name, TOKEN)] != '\0')
		v->odd = 1;
	pp_asked_header(&v->asked, v->allow, name, value != NULL ? value : "");
	return (MHD_YES);
}

/* Whether the uri, with its query, is of the page that a link may open. */
static int
visit_is_index(const char *uri)
{
	size_t len = strcspn(uri, "?");

	if (len >= PREFIX_LEN && memcmp(uri, PREFIX, PREFIX_LEN) == 0) {
		uri += PREFIX_LEN;
		len -= PREFIX_LEN;
	}
	return (len == 0 || (len == 1 && *uri == '/'));
}

/* Returns 0; otherwise the access rule has refused, and the answer is there. */
static int
visit_refused(struct pp_visit *visit, const char *method)
{
	static const struct sockaddr local = { .sa_family = AF_UNIX };
	const union MHD_ConnectionInfo *info;
	struct visit_asked v = { .allow = &visit->door->allow };
	enum pp_refusal refused;

	v.asked.peer = &local;
	v.asked.method = visit_method(method);
	v.asked.index = visit->uri != NULL && visit_is_index(visit->uri);
	v.asked.history = visit->history;
	info = MHD_get_connection_info(visit->connection,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	/* A client of a unix socket has no name. */
	if (info != NULL && info->client_addr != NULL &&
	    (info->client_addr->sa_family == AF_INET ||
		info->client_addr->sa_family == AF_INET6))
		v.asked.peer = info->client_addr;
	(void)MHD_get_connection_values(visit->connection, MHD_HEADER_KIND,
	    visit_header, &v);
	visit->history = pp_asked_history(&v.asked);
	refused = pp_allow_asked(v.allow, &v.asked);
	if (v.odd)
		pp_answer_error(&visit->answer, 400,
		    "the name of a header has a character that none has, "
		    "perhaps a blank before its colon");
	else if (refused != PP_REFUSED_NOT)
		pp_answer_error(&visit->answer, 403, "%s",
		    pp_refusals[refused]);
	return (visit->answer.status);
}

/* Bytes of the body by its header; 0: no body, or a body in chunks. */
static unsigned long long
visit_length(const struct pp_visit *visit)
{
	const char *text;

	text = MHD_lookup_connection_value(visit->connection, MHD_HEADER_KIND,
	    "content-length");
	return (text == NULL ? 0 : strtoull(text, NULL, 10));
}

/* Or than there is memory for. */
static void
visit_too_large(struct pp_visit *visit)
{
	if (visit->body.failed)
		pp_answer_full(&visit->answer, "There is no room for the body");
	else
		pp_answer_error(&visit->answer, 413,
		    "the body is more than %u bytes", PP_REQUEST_BODY_MAX);
}

/* 0, or the answer is there already. */
static int
visit_headed(struct pp_visit *visit, const char *method)
{
	struct pp_answer *answer = &visit->answer;

	if (visit_refused(visit, method))
		return (answer->status);
	if (visit->uri == NULL) {
		pp_answer_error(answer, 414, "the request is too long");
	} else if (strcmp(visit->uri, "/") == 0) {
		pp_answer_start(answer, 302, PP_TYPE_TEXT);
		pp_answer_header(answer, "location", PREFIX "/");
		pp_buf_text(&answer->body, "Found\n");
	} else if (strncmp(visit->uri, PREFIX, PREFIX_LEN) != 0 ||
	    (visit->uri[PREFIX_LEN] != '\0' &&
		strchr("/?", visit->uri[PREFIX_LEN]) == NULL)) {
		pp_answer_error(answer, 404,
		    "nothing is served here but " PREFIX "/");
	} else if (visit_length(visit) > BODY_READ_MAX) {
		visit_too_large(visit);
	}
	return (answer->status);
}

static struct pp_task *
visit_begin(struct pp_visit *visit, const char *method)
{
	struct MHD_Connection *connection = visit->connection;
	struct pp_request request = { .method = visit_method(method),
		.prefix = PREFIX,
		.path = visit->uri + PREFIX_LEN,
		.query = "" };
	const char *mark;
	char *query;

	if ((query = strchr(visit->uri, '?')) != NULL) {
		*query = '\0';
		request.query = query + 1;
	}
	request.match = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	    "if-none-match");
	request.accept = MHD_lookup_connection_value(connection,
	    MHD_HEADER_KIND, "accept-encoding");
	if (request.accept != NULL &&
	    strlen(request.accept) > PP_REQUEST_ACCEPT_MAX)
		request.accept = NULL;
	if (request.match != NULL &&
	    strlen(request.match) > PP_REQUEST_MATCH_MAX)
		request.match = NULL;
	mark =
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "x-pprof");
	request.marked = mark != NULL && strcmp(mark, "1") == 0;
	if (request.method == PP_METHOD_POST) {
		request.body = visit->body.data;
		request.body_len = visit->body.len;
	}
	return (pp_service_begin(visit->door->c->service, &request));
}

/* All of it has come. */
static enum MHD_Result
visit_serve(struct pp_visit *visit, const char *method)
{
	struct pp_answer *answer = &visit->answer;
	struct pp_task *task;

	if (visit->large) {
		visit_too_large(visit);
	} else if ((task = visit_begin(visit, method)) == NULL) {
		pp_answer_error(answer, 503, "The collector is out of memory");
	} else if (pp_task_deadline(task) == 0) {
		pp_task_finish(task, answer);
	} else if (pp_visit_wait(visit, task) == 0) {
		return (MHD_YES);
	}
	return (visit_send(visit));
}

enum MHD_Result
pp_visit_request(void *door, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *len,
    void **unused)
{
	struct pp_visit *visit = visit_of(connection);

	(void)door;
	(void)url;
	(void)unused;
	if (visit == NULL || visit->gone)
		return (MHD_NO);
	if (visit->answer.status != 0)
		return (visit_send(visit));
	if (!visit->headed) {
		visit->headed = 1;
		visit->interim = strcmp(version, "HTTP/1.1") == 0;
		return (
		    visit_headed(visit, method) ? visit_send(visit) : MHD_YES);
	}
	if (*len > 0) {
		visit->came += *len;
		if (visit->came > BODY_READ_MAX)
			return (MHD_NO);
		if (visit->came > PP_REQUEST_BODY_MAX)
			visit->large = 1;
		if (!visit->large)
			pp_buf_append(&visit->body, data, *len);
		if (visit->body.failed)
			visit->large = 1;
		*len = 0;
		return (MHD_YES);
	}
	return (visit_serve(visit, method));
}
