/*
 * One request to the listener: what libmicrohttpd has read becomes a request of
 * the service, and the answer becomes what the library sends.
 *
 *     pp_client_uri       the first line has come
 *     pp_client_request   the headers; then each piece of a body; then the end;
 *                         and again when the request's answer is there
 *     pp_client_completed the answer is sent, or the client has gone
 *
 * Rule: the same access rule holds as at the Kore routes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "collector/listener_private.h"
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

static struct pp_client *
client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return (info == NULL ? NULL : info->socket_context);
}

void
pp_client_forget(struct pp_client *client)
{
	free(client->uri);
	client->uri = NULL;
	client->headed = client->large = 0;
	client->came = 0;
	pp_buf_free(&client->body);
	pp_answer_free(&client->answer);
	pp_budget_file(-(int64_t)client->sends);
	client->sends = 0;
}

void *
pp_client_uri(void *listener, const char *uri,
    struct MHD_Connection *connection)
{
	struct pp_client *client = client_of(connection);

	(void)listener;
	if (client != NULL) {
		pp_client_forget(client);
		if (strlen(uri) <= URI_MAX)
			client->uri = strdup(uri);
	}
	return (NULL);
}

void
pp_client_completed(void *listener, struct MHD_Connection *connection,
    void **unused, enum MHD_RequestTerminationCode why)
{
	struct pp_client *client = client_of(connection);

	(void)listener;
	(void)unused;
	(void)why;
	if (client == NULL)
		return;
	pp_client_forget(client);
	pp_client_enter(client, PP_CLIENT_READS);
}

static void
client_headers(struct MHD_Response *response, const struct pp_buf *headers)
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

/* Gives the client's answer, with its body, to the server. */
static enum MHD_Result
client_send(struct pp_client *client)
{
	struct pp_answer *answer = &client->answer;
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
	/* From here on the body belongs to the server. */
	client->sends = answer->file_len;
	if (answer->file_len > 0)
		answer->file_len = 0;
	else
		memset(&answer->body, 0, sizeof(answer->body));
	client_headers(response, &answer->headers);
	result = MHD_queue_response(client->connection,
	    (unsigned int)answer->status, response);
	MHD_destroy_response(response);
	pp_client_enter(client, PP_CLIENT_SENDS);
	return (result);
}

static enum pp_method
client_method(const char *method)
{
	if (strcmp(method, "GET") == 0)
		return (PP_METHOD_GET);
	if (strcmp(method, "HEAD") == 0)
		return (PP_METHOD_HEAD);
	if (strcmp(method, "POST") == 0)
		return (PP_METHOD_POST);
	return (PP_METHOD_OTHER);
}

struct client_asked {
	struct pp_asked asked;
	const struct pp_allow *allow;
	int odd; /* 1: a name that Kore would not take for one */
};

/* The characters of a header's name. */
#define TOKEN                                                                  \
	"!#$%&'*+-.^_`|~0123456789"                                            \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static enum MHD_Result
client_header(void *arg, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct client_asked *v = arg;

	(void)kind;
	if (name[0] == '\0' || name[strspn(name, TOKEN)] != '\0')
		v->odd = 1;
	pp_allow_asked_header(&v->asked, v->allow, name,
	    value != NULL ? value : "");
	return (MHD_YES);
}

/* Whether the uri, with its query, is of the page that a link may open. */
static int
client_is_index(const char *uri)
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
client_refused(struct pp_client *client, const char *method)
{
	static const struct sockaddr local = { .sa_family = AF_UNIX };
	const union MHD_ConnectionInfo *info;
	struct client_asked v = { .allow = &client->listener->allow };
	enum pp_refusal refused;

	v.asked.peer = &local;
	v.asked.method = client_method(method);
	v.asked.index = client->uri != NULL && client_is_index(client->uri);
	v.asked.history = client->history;
	info = MHD_get_connection_info(client->connection,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	/* A client of a unix socket has no name. */
	if (info != NULL && info->client_addr != NULL &&
	    (info->client_addr->sa_family == AF_INET ||
		info->client_addr->sa_family == AF_INET6))
		v.asked.peer = info->client_addr;
	(void)MHD_get_connection_values(client->connection, MHD_HEADER_KIND,
	    client_header, &v);
	client->history = pp_allow_asked_history(&v.asked);
	refused = pp_allow_asked(v.allow, &v.asked);
	if (v.odd)
		pp_answer_error(&client->answer, 400,
		    "the name of a header has a character that none has, "
		    "perhaps a blank before its colon");
	else if (refused != PP_REFUSED_NOT)
		pp_answer_error(&client->answer, 403, "%s",
		    pp_allow_refusals[refused]);
	return (client->answer.status);
}

/* Returns the length of the body that the header says; 0: there is no body, or
 * a body in chunks. */
static unsigned long long
client_length(const struct pp_client *client)
{
	const char *text;

	text = MHD_lookup_connection_value(client->connection, MHD_HEADER_KIND,
	    "content-length");
	return (text == NULL ? 0 : strtoull(text, NULL, 10));
}

/* The body is larger than is allowed, or than there is memory for. */
static void
client_too_large(struct pp_client *client)
{
	if (client->body.failed)
		pp_answer_full(&client->answer,
		    "There is no room for the body");
	else
		pp_answer_error(&client->answer, 413,
		    "the body is more than %u bytes", PP_REQUEST_BODY_MAX);
}

/* Returns 0, or the status of an answer that is there already. */
static int
client_headed(struct pp_client *client, const char *method)
{
	struct pp_answer *answer = &client->answer;

	if (client_refused(client, method))
		return (answer->status);
	if (client->uri == NULL) {
		pp_answer_error(answer, 414, "the request is too long");
	} else if (strcmp(client->uri, "/") == 0) {
		pp_answer_start(answer, 302, PP_TYPE_TEXT);
		pp_answer_header(answer, "location", PREFIX "/");
		pp_buf_text(&answer->body, "Found\n");
	} else if (strncmp(client->uri, PREFIX, PREFIX_LEN) != 0 ||
	    (client->uri[PREFIX_LEN] != '\0' &&
		strchr("/?", client->uri[PREFIX_LEN]) == NULL)) {
		pp_answer_error(answer, 404,
		    "nothing is served here but " PREFIX "/");
	} else if (client_length(client) > BODY_READ_MAX) {
		client_too_large(client);
	}
	return (answer->status);
}

static struct pp_task *
client_begin(struct pp_client *client, const char *method)
{
	struct MHD_Connection *connection = client->connection;
	struct pp_request request = { .method = client_method(method),
		.prefix = PREFIX,
		.path = client->uri + PREFIX_LEN,
		.query = "" };
	const char *mark;
	char *query;

	if ((query = strchr(client->uri, '?')) != NULL) {
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
		request.body = client->body.data;
		request.body_len = client->body.len;
	}
	return (pp_service_begin(client->listener->c->service, &request));
}

/* The whole request has come. */
static enum MHD_Result
client_serve(struct pp_client *client, const char *method)
{
	struct pp_answer *answer = &client->answer;
	struct pp_task *task;

	if (client->large) {
		client_too_large(client);
	} else if ((task = client_begin(client, method)) == NULL) {
		pp_answer_error(answer, 503, "The collector is out of memory");
	} else if (pp_task_deadline(task) == 0) {
		pp_task_finish(task, answer);
	} else if (pp_client_wait(client, task) == 0) {
		return (MHD_YES);
	}
	return (client_send(client));
}

enum MHD_Result
pp_client_request(void *listener, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *data,
    size_t *len, void **unused)
{
	struct pp_client *client = client_of(connection);

	(void)listener;
	(void)url;
	(void)unused;
	if (client == NULL || client->gone)
		return (MHD_NO);
	if (client->answer.status != 0)
		return (client_send(client));
	if (!client->headed) {
		client->headed = 1;
		client->interim = strcmp(version, "HTTP/1.1") == 0;
		return (client_headed(client, method) ? client_send(client)
						      : MHD_YES);
	}
	if (*len > 0) {
		client->came += *len;
		if (client->came > BODY_READ_MAX)
			return (MHD_NO);
		if (client->came > PP_REQUEST_BODY_MAX)
			client->large = 1;
		if (!client->large)
			pp_buf_append(&client->body, data, *len);
		if (client->body.failed)
			client->large = 1;
		*len = 0;
		return (MHD_YES);
	}
	return (client_serve(client, method));
}
