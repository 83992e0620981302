/*
 * How answers begin, and what errors look like. Which answer a request gets
 * is decided in service.c and in the endpoints.
 *
 * Rule: a header line can never be made by what a client sent.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "service/answer.h"

void
pp_answer_free(struct pp_answer *answer)
{
	pp_buf_free(&answer->headers);
	pp_buf_free(&answer->body);
	if (answer->file_len > 0)
		close(answer->file);
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
