/*
 * How answers begin, and what errors look like. Which answer a request gets
 * is decided in service.c and in the endpoints.
 *
 * Rule: a header line can never be made by what a client sent.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/budget.h"
#include "service/http/answer.h"

void
pp_answer_free(struct pp_answer *answer)
{
	pp_buf_free(&answer->headers);
	pp_buf_free(&answer->body);
	if (answer->file_len > 0) {
		close(answer->file);
		pp_budget_file(-(int64_t)answer->file_len);
	}
	answer->file_len = 0;
	answer->status = 0;
}

void
pp_answer_start(struct pp_answer *answer, int status, const char *type)
{
	pp_answer_free(answer);
	answer->status = status;
	if (type != NULL)
		pp_answer_header(answer, "content-type", type);
	pp_answer_header(answer, "x-content-type-options", "nosniff");
}

void
pp_answer_header(struct pp_answer *answer, const char *name, const char *value)
{
	const char *c;

	for (c = value; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return;
	}
	pp_buf_printf(&answer->headers, "%s: %s\n", name, value);
}

void
pp_answer_error(struct pp_answer *answer, int status, const char *format, ...)
{
	char sentence[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	pp_answer_start(answer, status, PP_TYPE_TEXT);
	pp_answer_header(answer, "x-go-pprof", "1");
	pp_buf_printf(&answer->body, "%s\n", sentence);
}

void
pp_answer_full(struct pp_answer *answer, const char *what)
{
	const double mib = 1024 * 1024;

	if (pp_budget_bound() == 0)
		pp_answer_error(answer, 503, "%s: out of memory", what);
	else
		pp_answer_error(answer, 503,
		    "%s: out of memory: %.0f of the %.0f MiB that the "
		    "collector may keep are in use (PPROF_MEMORY_MIB); what "
		    "runs has to end, or the next to be smaller: fewer "
		    "seconds, a lower hz or max",
		    what, (double)pp_budget_used() / mib,
		    (double)pp_budget_bound() / mib);
}
