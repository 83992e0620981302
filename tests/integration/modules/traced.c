/*
 * A Kore application whose doings are known, for the trace: system calls of
 * known length, requests that are called again, bodies that come late,
 * messages between workers, and what it says of itself by pprof.h.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <errno.h>
#include <fcntl.h>
#include <pprof.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int traced_load(int);
int page_sleeps(struct http_request *);
int page_files(struct http_request *);
int page_body(struct http_request *);
int page_again(struct http_request *);
int page_user(struct http_request *);
int page_forgets(struct http_request *);
int page_tells(struct http_request *);

void app_sleeps(long);
void app_waits_for_bytes(int);

#define MESSAGE 200

static volatile int heard;

static int
reply(struct http_request *req, const char *text)
{
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

__attribute__((noinline)) void
app_sleeps(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&time, &time) == -1 && errno == EINTR)
		;
}

int
page_sleeps(struct http_request *req)
{
	app_sleeps(20);
	return (reply(req, "slept\n"));
}

/* For 10 ms, since nobody writes. */
__attribute__((noinline)) void
app_waits_for_bytes(int fd)
{
	struct timeval time = { 0, 10000 };
	char byte;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	(void)!read(fd, &byte, 1);
}

int
page_files(struct http_request *req)
{
	int fd, pair[2];

	fd = open("/traced", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, "123", 3) != 3 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		return (KORE_RESULT_ERROR);
	app_waits_for_bytes(pair[0]);
	(void)close(fd);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return (reply(req, "written\n"));
}

int
page_body(struct http_request *req)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%zu\n", req->http_body_length);
	return (reply(req, text));
}

/* Called five times, and never asleep. */
int
page_again(struct http_request *req)
{
	int *count;

	if (req->hdlr_extra == NULL)
		req->hdlr_extra = kore_calloc(1, sizeof(*count));
	count = req->hdlr_extra;
	if (++*count < 5)
		return (KORE_RESULT_RETRY);
	return (reply(req, "done\n"));
}

int
page_user(struct http_request *req)
{
	uint64_t task = pprof_trace_task_begin("invoice");

	pprof_trace_region_begin("render");
	pprof_trace_region_begin("h\xc3\xb6her");
	app_sleeps(1);
	pprof_trace_region_end();
	pprof_trace_log("number", "7 \xe2\x82\xac");
	pprof_trace_region_end();
	pprof_trace_task_end(task);
	pprof_trace_log("after", "the task");
	return (reply(req, task != 0 ? "traced\n" : "not traced\n"));
}

int
page_forgets(struct http_request *req)
{
	pprof_trace_region_begin("forgotten");
	pprof_trace_region_begin("too");
	return (reply(req, "forgot\n"));
}

static void
hears(struct kore_msg *msg, const void *data)
{
	(void)msg;
	(void)data;
	heard++;
}

int
page_tells(struct http_request *req)
{
	char text[32];

	kore_msg_send(KORE_MSG_WORKER_ALL, MESSAGE, "hello", 5);
	(void)snprintf(text, sizeof(text), "%d\n", heard);
	return (reply(req, text));
}

int
traced_load(int action)
{
	if (action == KORE_MODULE_LOAD)
		(void)kore_msg_register(MESSAGE, hears);
	else
		kore_msg_unregister(MESSAGE);
	return (KORE_RESULT_OK);
}
