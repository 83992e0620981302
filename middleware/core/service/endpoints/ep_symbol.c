/*
 * symbol: names for addresses, as `go tool pprof` asks for them. Addresses are
 * canonical, as in the profiles (merge/address_map.h).
 *
 * Rule: if a text is no address, or the address has no name, it is skipped
 * without a word, as in Go.
 */
#include <string.h>

#include "base/clock.h"
#include "merge/build.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/query.h"

/* Addresses looked up between two looks at the workers' rings: a first look
 * costs some 10 us with DWARF, and a body can hold 200,000 of them. */
#define BETWEEN_TICKS 256

static void
symbol_line(struct pp_service *service, uint64_t address, struct pp_buf *out)
{
	struct pp_frame frame[PP_INLINES_MAX];

	if (address == PP_BUILD_NO_STACK) {
		pp_buf_printf(out, "0x%llx [no stack]\n",
		    (unsigned long long)address);
		return;
	}
	/* One name for an address: the innermost, as Go gives it. */
	if (pp_service_frames(service, address, frame) != 0)
		pp_buf_printf(out, "0x%llx %s\n", (unsigned long long)address,
		    frame[0].function);
}

void
pp_ep_symbol_begin(struct pp_task *task, const struct pp_request *request)
{
	const char *item, *end, *plus;
	uint32_t looked_up = 0;
	uint64_t address;

	item = request->query;
	end = item + strlen(item);
	if (request->method == PP_METHOD_POST && request->body == NULL) {
		end = item;
	} else if (request->method == PP_METHOD_POST) {
		item = request->body;
		end = item + request->body_len;
	}
	pp_service_follow_objects(task->service);
	pp_answer_start(&task->answer, 200, PP_TYPE_TEXT);
	/* The number is no count: pprof only wants to know that there are
	 * symbols. */
	pp_buf_text(&task->answer.body, "num_symbols: 1\n");
	for (; item < end; item = plus + 1) {
		plus = memchr(item, '+', (size_t)(end - item));
		if (plus == NULL)
			plus = end;
		address = pp_query_address(item, (size_t)(plus - item));
		if (address == 0)
			continue;
		symbol_line(task->service, address, &task->answer.body);
		if (++looked_up % BETWEEN_TICKS == 0)
			pp_cpu_tick(task->service->cpu, pp_clock_mono());
	}
}
