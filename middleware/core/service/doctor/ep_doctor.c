/*
 * doctor: the findings of doctor.h as a page and as JSON. Workers are asked
 * what their allocators hold; if a worker's loop is held, the page does not
 * wait for that worker.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "encode/bytes/json.h"
#include "service/doctor/doctor.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/assets.h"
#include "service/http/query.h"
#include "service/http/template.h"

struct doctor_state {
	uint32_t question; /* of what workers' memory is made of */
	int64_t asked_ns;  /* 0: those who are silent were reminded */
	int json;
	char prefix[256]; /* for the links of the page */
};
static PP_TASK_STATE(doctor_state, struct doctor_state);

void
pp_doctor_begin(struct pp_task *task, const struct pp_request *request)
{
	struct doctor_state *state = doctor_state(task);
	struct pp_query_value format;
	char shown[PP_QUERY_VALUE_MAX + 4];

	pp_query_get(request->query, strlen(request->query), "format", &format);
	state->json = strcmp(format.text, "json") == 0;
	if (format.len != 0 && !state->json &&
	    strcmp(format.text, "html") != 0) {
		pp_query_show(&format, shown);
		pp_answer_error(&task->answer, 400,
		    "invalid value \"%s\" for \"format\" - must be html or "
		    "json",
		    shown);
		return;
	}
	snprintf(state->prefix, sizeof(state->prefix), "%s", request->prefix);
	state->asked_ns = pp_clock_mono();
	state->question = pp_memory_ask(task->service->memory, 0);
	task->deadline = state->asked_ns + PP_NAMED_ANSWER_NS;
}

int64_t
pp_doctor_tick(struct pp_task *task, int64_t now)
{
	struct doctor_state *state = doctor_state(task);
	struct pp_memory *memory = task->service->memory;

	if (task->deadline == 0 || now >= task->deadline)
		return (INT64_MAX);
	if (pp_memory_answered(memory, state->question)) {
		task->deadline = 0;
	} else if (state->asked_ns != 0 &&
	    now - state->asked_ns >= PP_NAMED_REMIND_NS) {
		state->asked_ns = 0;
		pp_memory_remind(memory, state->question);
	}
	return (now + PP_NAMED_POLL_NS);
}

static void
doctor_json_finding(struct pp_buf *out, const struct pp_finding *finding,
    int first)
{
	pp_buf_printf(out, "%s\n{\"name\":", first ? "" : ",");
	pp_json_string(out, finding->name);
	pp_buf_printf(out, ",\"verdict\":\"%s\",\"sentence\":",
	    pp_verdict_names[finding->verdict]);
	pp_json_string(out, finding->sentence);
	pp_buf_text(out, "}");
}

static void
doctor_json(struct pp_task *task, const struct pp_doctor *doctor)
{
	struct pp_buf *out = &task->answer.body;
	struct pp_finding object;
	uint32_t i;

	pp_answer_start(&task->answer, 200, "application/json");
	pp_answer_header(&task->answer, "cache-control", "no-store");
	pp_buf_printf(out, "{\"verdict\":\"%s\",\n\"findings\":[",
	    pp_verdict_names[pp_doctor_verdict(doctor)]);
	for (i = 0; i < doctor->findings; i++)
		doctor_json_finding(out, &doctor->finding[i], i == 0);
	pp_buf_text(out, "],\n\"objects\":[");
	for (i = 0; pp_doctor_object(task->service, (int)i, &object); i++)
		doctor_json_finding(out, &object, i == 0);
	pp_buf_text(out, "]}\n");
}

static void
doctor_row(struct pp_view *page, const char *list,
    const struct pp_finding *finding)
{
	struct pp_view *row = pp_view_row(page, list);

	pp_view_set(row, "name", "%s", finding->name);
	pp_view_set(row, "verdict", "%s", pp_verdict_names[finding->verdict]);
	pp_view_set(row, "sentence", "%s", finding->sentence);
}

static void
doctor_page(struct pp_task *task, const struct pp_doctor *doctor)
{
	const struct pp_asset *asset = pp_asset_find("doctor.html");
	const struct pp_arena *arena = task->service->arena;
	struct pp_view *page = pp_view_new();
	struct pp_finding object;
	int i;

	pp_view_set(page, "prefix", "%s", doctor_state(task)->prefix);
	pp_view_set(page, "server", "%.*s", (int)sizeof(arena->server),
	    arena->server);
	pp_view_set(page, "verdict", "%s",
	    pp_verdict_names[pp_doctor_verdict(doctor)]);
	for (i = 0; i < (int)doctor->findings; i++)
		doctor_row(page, "finding", &doctor->finding[i]);
	for (i = 0; pp_doctor_object(task->service, i, &object); i++)
		doctor_row(page, "object", &object);
	pp_answer_start(&task->answer, 200, PP_TYPE_HTML);
	pp_answer_header(&task->answer, "cache-control", "no-cache");
	pp_answer_header(&task->answer, "content-security-policy",
	    PP_PAGE_POLICY);
	if (pp_template_render(asset->data, asset->len, page,
		&task->answer.body) != 0)
		pp_answer_error(&task->answer, 500,
		    "The page could not be written");
	pp_view_free(page);
}

void
pp_doctor_finish(struct pp_task *task)
{
	struct doctor_state *state = doctor_state(task);
	struct pp_doctor *doctor = calloc(1, sizeof(*doctor));

	pp_memory_end(task->service->memory, 0);
	if (doctor == NULL) {
		pp_answer_error(&task->answer, 503,
		    "The collector is out of memory");
		return;
	}
	doctor->service = task->service;
	doctor->question = state->question;
	pp_service_follow_objects(task->service);
	pp_doctor_abilities(doctor);
	pp_doctor_losses(doctor);
	pp_doctor_costs(doctor);
	if (state->json)
		doctor_json(task, doctor);
	else
		doctor_page(task, doctor);
	free(doctor);
}

void
pp_doctor_cancel(struct pp_task *task)
{
	pp_memory_end(task->service->memory, 0);
}
