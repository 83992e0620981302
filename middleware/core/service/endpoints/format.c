/*
 * The table of forms, and the parameters that choose one. encode/ makes the
 * forms.
 */
#include "service/endpoints/format.h"

#include <stdio.h>
#include <string.h>

#include "encode/profile/folded.h"
#include "encode/profile/pprof.h"
#include "encode/profile/speedscope.h"
#include "encode/profile/svg.h"
#include "encode/text/text_top.h"
#include "service/http/answer.h"

/* A picture loads nothing and runs nothing; its colours by day and by night
 * are a style of its own. */
#define PICTURE_POLICY "default-src 'none'; style-src 'unsafe-inline'"

/* The file has all values: its reader chooses one, and shows the default first.
 */
static int
format_pprof(const struct pp_profile *p, uint32_t value, const char *title,
    struct pp_buf *out)
{
	(void)value;
	(void)title;
	return (pp_encode_pprof(p, out));
}

/* The first form is the default. */
static const struct pp_format formats[] = {
	{ "pprof", "application/octet-stream", "attachment", "", NULL,
	    format_pprof },
	{ "svg", "image/svg+xml; charset=utf-8", "inline", ".svg",
	    PICTURE_POLICY, pp_encode_svg },
	{ "folded", PP_TYPE_TEXT, "inline", ".folded", NULL, pp_encode_folded },
	{ "speedscope", "application/json", "attachment", ".speedscope.json",
	    NULL, pp_encode_speedscope },
	{ "text", PP_TYPE_TEXT, "inline", ".txt", NULL, pp_encode_text_top },
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct pp_format *
format_find(const struct pp_query_value *value)
{
	size_t i;

	for (i = 0; i < FORMATS; i++) {
		if (strlen(formats[i].name) == value->len &&
		    memcmp(formats[i].name, value->text, value->len) == 0)
			return (&formats[i]);
	}
	return (NULL);
}

static void
format_refuse(const struct pp_query_value *value, struct pp_answer *answer)
{
	char shown[PP_QUERY_VALUE_MAX + 4], names[128];
	size_t i, len = 0;

	for (i = 0; i < FORMATS; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len,
		    "%s%s", i == 0 ? "" : ", ", formats[i].name);
	pp_query_show(value, shown);
	pp_answer_error(answer, 400,
	    "invalid value \"%s\" for \"format\" - must be one of %s", shown,
	    names);
}

int
pp_format_read(struct pp_format_asked *asked, const char *query,
    struct pp_answer *answer)
{
	struct pp_query_value format, debug;
	int64_t number = 0;

	pp_query_get(query, strlen(query), "format", &format);
	pp_query_get(query, strlen(query), "debug", &debug);
	pp_query_get(query, strlen(query), "sample_index",
	    &asked->sample_index);
	asked->given = format.len > 0;
	asked->format = asked->given ? format_find(&format) : &formats[0];
	if (asked->format == NULL) {
		format_refuse(&format, answer);
		return (-1);
	}
	if (asked->given && debug.len > 0 &&
	    (pp_query_int(&debug, &number) != PP_QUERY_NUMBER || number != 0)) {
		pp_answer_error(answer, 400,
		    "format and debug params are incompatible");
		return (-1);
	}
	return (0);
}

static int
value_matches(const struct pp_query_value *asked, const char *type)
{
	static const char prefix[] = "inuse_";
	size_t skip = sizeof(prefix) - 1;

	if (strcmp(asked->text, type) == 0)
		return (1);
	return (strncmp(asked->text, prefix, skip) == 0 &&
	    strcmp(asked->text + skip, type) == 0);
}

static void
value_refuse(const struct pp_query_value *value,
    const struct pp_value_type *types, uint32_t count, struct pp_answer *answer)
{
	char shown[PP_QUERY_VALUE_MAX + 4], names[320];
	size_t len = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len,
		    "%s%.70s", i == 0 ? "" : ", ", types[i].type);
	pp_query_show(value, shown);
	pp_answer_error(answer, 400,
	    "invalid value \"%s\" for \"sample_index\" - must be one of %s, "
	    "or a number from 0 to %u",
	    shown, names, count - 1);
}

int
pp_format_value(const struct pp_format_asked *asked,
    const struct pp_value_type *types, uint32_t count, const char *default_type,
    struct pp_answer *answer)
{
	const struct pp_query_value *value = &asked->sample_index;
	int64_t number;
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (value->len == 0
			? default_type != NULL &&
			    strcmp(types[i].type, default_type) == 0
			: !value->cut && strlen(value->text) == value->len &&
			    value_matches(value, types[i].type))
			return ((int)i);
	}
	if (value->len == 0)
		return ((int)count - 1);
	if (pp_query_int(value, &number) == PP_QUERY_NUMBER && number >= 0 &&
	    number < count)
		return ((int)number);
	value_refuse(value, types, count, answer);
	return (-1);
}

void
pp_format_head(const struct pp_format_asked *asked, const char *name,
    const char *more, struct pp_answer *answer)
{
	const struct pp_format *format = asked->format;
	char disposition[160], *c;
	int at;

	pp_answer_start(answer, 200, format->type);
	if (format->policy != NULL)
		pp_answer_header(answer, "content-security-policy",
		    format->policy);
	at = snprintf(disposition, sizeof(disposition), "%s; filename=\"",
	    format->shown);
	snprintf(disposition + at, sizeof(disposition) - (size_t)at - 1,
	    "%.80s%s%s", name, more, format->suffix);
	for (c = disposition + at; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			*c = '_';
	}
	memcpy(c, "\"", 2);
	pp_answer_header(answer, "content-disposition", disposition);
}

int
pp_format_body(const struct pp_format_asked *asked, struct pp_profile *p,
    const char *name, struct pp_answer *answer)
{
	int value;

	value = pp_format_value(asked, p->value_type, p->value_types,
	    p->default_type, answer);
	if (value == -1)
		return (0);
	if (asked->sample_index.len > 0)
		p->default_type = p->value_type[value].type;
	/* The name of an application's profile may have any bytes; the profile
	 * mends them. */
	name = pp_profile_string(p, name);
	if (p->failed)
		return (-1);
	return (asked->format->encode(p, (uint32_t)value, name, &answer->body));
}
