/*
 * The places for requests that wait for their deadline.
 */
#include <sys/epoll.h>

#include "collector/collector.h"
#include "service/http/answer.h"

int
pp_collector_keep(struct pp_collector *c, struct pp_task *task,
    struct pp_client *client, int fd, uint32_t events)
{
	struct epoll_event watch = { .events = events };
	uint32_t i;

	for (i = 0; i < PP_REQUESTS_MAX && c->pending[i].task != NULL; i++)
		continue;
	if (i == PP_REQUESTS_MAX)
		return (-1);
	watch.data.u32 = i;
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &watch) == -1)
		return (-1);
	c->pending[i].task = task;
	c->pending[i].client = client;
	c->pending[i].fd = fd;
	c->waiting++;
	return (0);
}

void
pp_collector_full(struct pp_answer *answer)
{
	pp_answer_error(answer, 503,
	    "%d requests are waiting for their profiles, which is the most at "
	    "once",
	    PP_REQUESTS_MAX);
}
