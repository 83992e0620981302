/*
 * cmdline: the service's own arguments, as the parent wrote them into the arena
 * before it forked.
 *
 * Rule: the bytes are sent as they are, with NUL between the arguments and none
 * at the end, as in Go.
 */
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"

void
pp_ep_cmdline_begin(struct pp_task *task, const struct pp_request *request)
{
	const struct pp_arena *arena = task->service->arena;
	uint32_t len = arena->cmdline_len;

	(void)request;
	if (len > sizeof(arena->cmdline))
		len = sizeof(arena->cmdline);
	pp_answer_start(&task->answer, 200, PP_TYPE_TEXT);
	pp_buf_append(&task->answer.body, arena->cmdline, len);
}
