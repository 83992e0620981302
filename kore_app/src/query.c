/* Parameters of a request and plain text answers; see query.h. */
#include "app.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "query.h"

/* How much of a bad value an answer repeats. */
#define SHOWN_MAX 32

enum query_result
query_get(struct http_request *req, const char *name, char **value)
{
	const char *p, *end;
	size_t len = strlen(name);

	*value = NULL;
	for (p = req->query_string; p != NULL; p = end) {
		if (*p == '&')
			p++;
		end = strchr(p, '&');
		if (strncmp(p, name, len) != 0 || p[len] != '=')
			continue;
		p += len + 1;
		*value = kore_strdup(p);
		if (end != NULL)
			(*value)[end - p] = '\0';
		if (http_argument_urldecode(*value) == KORE_RESULT_OK)
			return (QUERY_FOUND);
		kore_free(*value);
		*value = NULL;
		answer_bad(req,
		    "%s has a broken %%xx escape or a control character: "
		    "printable characters are allowed.",
		    name);
		return (QUERY_BROKEN);
	}

	return (QUERY_ABSENT);
}

static int
parse_number(const char *s, uint64_t *out)
{
	uint64_t n = 0;
	unsigned int digit;

	if (*s == '\0')
		return (-1);
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return (-1);
		digit = (unsigned int)(*s - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return (-1);
		n = n * 10 + digit;
	}
	*out = n;

	return (0);
}

int
query_number(struct http_request *req, const char *name, uint64_t min,
    uint64_t max, uint64_t *out)
{
	char *value, allowed[96];
	int bad;

	switch (query_get(req, name, &value)) {
	case QUERY_FOUND:
		break;
	case QUERY_ABSENT:
		answer_bad(req,
		    "%s is missing: give a whole number from %" PRIu64
		    " to %" PRIu64 ".",
		    name, min, max);
		return (-1);
	case QUERY_BROKEN:
	default:
		return (-1);
	}

	bad = parse_number(value, out) == -1 || *out < min || *out > max;
	if (bad) {
		(void)snprintf(allowed, sizeof(allowed),
		    "a whole number from %" PRIu64 " to %" PRIu64, min, max);
		answer_bad_value(req, name, value, allowed);
	}
	kore_free(value);

	return (bad ? -1 : 0);
}

void
answer(struct http_request *req, int status, const void *text, size_t len)
{
	http_response_header(req, "content-type", "text/plain; charset=utf-8");
	http_response_header(req, "x-content-type-options", "nosniff");
	http_response(req, status, text, len);
}

void
answer_bad_value(struct http_request *req, const char *name, const char *value,
    const char *allowed)
{
	char shown[SHOWN_MAX + 1];
	size_t i;

	for (i = 0; i < SHOWN_MAX && value[i] != '\0'; i++) {
		shown[i] = value[i];
		if (shown[i] < ' ' || shown[i] > '~')
			shown[i] = '?';
	}
	shown[i] = '\0';

	answer_bad(req, "%s=%s%s is not allowed: give %s.", name, shown,
	    value[i] == '\0' ? "" : "...", allowed);
}

void
answer_bad(struct http_request *req, const char *format, ...)
{
	char text[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	if (len < 0 || (size_t)len > sizeof(text) - 2)
		len = sizeof(text) - 2;
	text[len++] = '\n';

	answer(req, HTTP_STATUS_BAD_REQUEST, text, (size_t)len);
}
