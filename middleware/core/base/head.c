/*
 * See head.h.
 */
#include <string.h>
#include <strings.h>

#include "base/allow.h"
#include "base/head.h"
#include "base/often.h"

/* Kore reads the bodies of these; of a DELETE in its later versions. */
static int
head_may_have_body(const char *line, size_t len)
{
	static const char *const method[] = { "post ", "put ", "patch ",
		"delete " };
	size_t i, all;

	for (i = 0; i < sizeof(method) / sizeof(method[0]); i++) {
		all = strlen(method[i]);
		if (len >= all && strncasecmp(line, method[i], all) == 0)
			return (1);
	}
	return (0);
}

static int
head_is(const char *line, size_t len, const char *name, size_t all)
{
	return (
	    len > all && strncasecmp(line, name, all) == 0 && line[all] == ':');
}

#define HEAD_IS(line, len, name) head_is(line, len, name, sizeof(name) - 1)

/* A line that may be about the body. A second length makes two readings. */
static __attribute__((noinline)) unsigned int
head_body(const char *line, size_t len, unsigned int seen)
{
	const char *value;

	if (HEAD_IS(line, len, "transfer-encoding"))
		return (PP_HEAD_BODY | PP_HEAD_UNREAD);
	if (!HEAD_IS(line, len, "content-length"))
		return (0);
	value = line + sizeof("content-length:") - 1;
	while (value < line + len && strchr(" \t", *value) != NULL)
		value++;
	while (value < line + len && *value == '0')
		value++;
	if (value == line + len)
		return (0);
	return (PP_HEAD_BODY | (seen & PP_HEAD_BODY ? PP_HEAD_UNREAD : 0));
}

static unsigned int
head_proxy(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	return (
	    colon != NULL && pp_allow_is_proxys(line, (size_t)(colon - line))
		? PP_HEAD_PROXY
		: 0);
}

/* Kore begins a line at each return, too, and ends at a zero: then it does not
 * see what another has seen. */
static unsigned int
head_odd(const char *head, size_t len, unsigned int lines)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (head[i] == '\0')
			return (PP_HEAD_PROXY);
		if (head[i] != '\r' && head[i] != '\n' &&
		    (i == 0 || head[i - 1] == '\r' || head[i - 1] == '\n'))
			count++;
	}
	return (count >= lines ? PP_HEAD_PROXY : 0);
}

/* Of a whole one: what its method and what lies behind it make of that. */
static unsigned int
head_ended(const char *head, const char *end, size_t rest, unsigned int seen)
{
	while (*head == '\r' || *head == '\n') {
		if (++head == end)
			return (seen | PP_HEAD_UNREAD);
	}
	if (!head_may_have_body(head, (size_t)(end - head))) {
		if (rest > 0 || (seen & PP_HEAD_BODY))
			seen |= PP_HEAD_UNREAD;
	} else if (rest > 0 && end - head > 2 && end[-2] == '\n') {
		/* Kore looks first for an end with returns, further on. */
		seen |= PP_HEAD_UNREAD;
	}
	return (seen);
}

PP_OFTEN unsigned int
pp_head_look(const char *head, size_t len, unsigned int lines)
{
	const char *line = head, *end = head + len, *next;
	unsigned int seen = 0;
	size_t n;

	while ((next = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		n = (size_t)(next - line);
		if (n > 0 && line[n - 1] == '\r')
			n--;
		/* Before the first line there may be an empty one. */
		if (n == 0 && line != head)
			break;
		if (n > 8 && (line[7] == '-' || line[8] == '-'))
			seen |= head_body(line, n, seen);
		if (lines != 0)
			seen |= head_proxy(line, n);
		line = next + 1;
	}
	if (next == NULL)
		return (seen);
	next++;
	if (lines != 0)
		seen |= head_odd(head, (size_t)(next - head), lines);
	return (
	    head_ended(head, next, (size_t)(end - next), seen) | PP_HEAD_WHOLE);
}
