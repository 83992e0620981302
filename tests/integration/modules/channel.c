/*
 * Tasks and the event loop that wait for each other's end of a channel, for
 * times that they know.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/tasks.h>

#include <stdlib.h>
#include <time.h>

int page_channel(struct http_request *);
int page_light(struct http_request *);
int channel_task(struct kore_task *);

static void
rest(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) == -1)
		continue;
}

/* Is told how long the other end will take, waits for it, and then lets it
 * wait for as long. */
int
channel_task(struct kore_task *task)
{
	char word[16];
	long ms;

	(void)kore_task_channel_read(task, &ms, sizeof(ms));
	(void)kore_task_channel_read(task, word, sizeof(word));
	rest(ms);
	kore_task_channel_write(task, word, sizeof(word));
	return (KORE_RESULT_OK);
}

/* ?MS */
int
page_channel(struct http_request *req)
{
	long ms = atol(req->query_string);
	struct kore_task *task;
	char word[16] = "word";

	if (req->hdlr_extra != NULL) {
		http_response(req, 200, "ok\n", 3);
		return (KORE_RESULT_OK);
	}
	task = req->hdlr_extra = kore_calloc(1, sizeof(*task));
	req->flags |= HTTP_REQUEST_RETAIN_EXTRA;
	kore_task_create(task, channel_task);
	kore_task_bind_request(task, req);
	kore_task_run(task);
	kore_task_channel_write(task, &ms, sizeof(ms));
	rest(ms);
	kore_task_channel_write(task, word, sizeof(word));
	(void)kore_task_channel_read(task, word, sizeof(word));
	return (KORE_RESULT_RETRY);
}

int
page_light(struct http_request *req)
{
	http_response(req, 200, "ok\n", 3);
	return (KORE_RESULT_OK);
}
