/*
 * Go's rules for queries and numbers, written again. Not a URL parser: the
 * front has already cut the query off.
 *
 * Rule: reads exactly `len` bytes, whatever is in them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/http/query.h"

int
pp_query_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/* Decode one byte at *at and move on. Returns it, or -1 at a broken escape. */
static int
query_byte(const char *text, size_t len, size_t *at)
{
	int high, low;
	char c = text[(*at)++];

	if (c == '+')
		return (' ');
	if (c != '%')
		return ((unsigned char)c);
	if (len - *at < 2)
		return (-1);
	high = pp_query_digit(text[*at]);
	low = pp_query_digit(text[*at + 1]);
	if (high == -1 || low == -1)
		return (-1);
	*at += 2;
	return (high << 4 | low);
}

/* Whether the text, decoded, is `key`; -1 when it cannot be decoded. */
static int
query_is_key(const char *text, size_t len, const char *key)
{
	size_t at = 0, matched = 0, want = strlen(key);
	int byte, same = 1;

	while (at < len) {
		if ((byte = query_byte(text, len, &at)) == -1)
			return (-1);
		if (matched >= want || (unsigned char)key[matched] != byte)
			same = 0;
		matched++;
	}
	return (same && matched == want);
}

static int
query_decode(const char *text, size_t len, struct pp_query_value *out)
{
	size_t at = 0;
	int byte;

	out->len = 0;
	out->cut = 0;
	while (at < len) {
		if ((byte = query_byte(text, len, &at)) == -1)
			return (-1);
		if (out->len < PP_QUERY_VALUE_MAX)
			out->text[out->len++] = (char)byte;
		else
			out->cut = 1;
	}
	out->text[out->len] = '\0';
	return (0);
}

void
pp_query_get(const char *query, size_t len, const char *key,
    struct pp_query_value *out)
{
	const char *pair = query, *end = query + len, *next, *equals;
	size_t size, key_len;

	for (; pair < end; pair = next) {
		next = memchr(pair, '&', (size_t)(end - pair));
		size = (size_t)((next == NULL ? end : next) - pair);
		next = next == NULL ? end : next + 1;
		if (size == 0 || memchr(pair, ';', size) != NULL)
			continue;
		equals = memchr(pair, '=', size);
		key_len = equals == NULL ? size : (size_t)(equals - pair);
		if (query_is_key(pair, key_len, key) != 1)
			continue;
		if (equals == NULL)
			equals = pair + size - 1; /* as if "key=" */
		if (query_decode(equals + 1, (size_t)(pair + size - equals - 1),
			out) == 0)
			return;
	}
	memset(out, 0, sizeof(*out));
}

enum pp_query_number
pp_query_int(const struct pp_query_value *value, int64_t *out)
{
	uint64_t limit = INT64_MAX, number = 0;
	int negative, digit, over;
	size_t i = 0;

	negative = value->len > 0 && value->text[0] == '-';
	if (negative || (value->len > 0 && value->text[0] == '+'))
		i = 1;
	if (i == value->len)
		return (PP_QUERY_NOT_NUMBER);
	limit += (uint64_t)negative;
	for (over = value->cut; i < value->len; i++) {
		digit = pp_query_digit(value->text[i]);
		if (digit < 0 || digit > 9)
			return (PP_QUERY_NOT_NUMBER);
		if (number > (limit - (uint64_t)digit) / 10)
			over = 1;
		if (!over)
			number = number * 10 + (uint64_t)digit;
	}
	if (over)
		return (negative ? PP_QUERY_TOO_SMALL : PP_QUERY_TOO_LARGE);
	*out = negative ? (int64_t)(0 - number) : (int64_t)number;
	return (PP_QUERY_NUMBER);
}

/*
 * Whether the text is a decimal number and nothing else: strtod() also takes
 * texts that Go does not take.
 */
static int
query_is_float(const char *text)
{
	size_t digits, more = 0;

	text += *text == '+' || *text == '-';
	if (strcasecmp(text, "inf") == 0 || strcasecmp(text, "infinity") == 0 ||
	    strcasecmp(text, "nan") == 0)
		return (1);
	digits = strspn(text, "0123456789");
	text += digits;
	if (*text == '.')
		more = strspn(++text, "0123456789");
	text += more;
	if (digits + more == 0)
		return (0);
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '+' || *text == '-';
		if ((digits = strspn(text, "0123456789")) == 0)
			return (0);
		text += digits;
	}
	return (*text == '\0');
}

double
pp_query_float(const struct pp_query_value *value)
{
	double number;

	if (value->cut || strlen(value->text) != value->len ||
	    !query_is_float(value->text))
		return (0);
	errno = 0;
	number = strtod(value->text, NULL);
	/*
	 * A value that is too large is no number in Go; a value that is too
	 * small is 0.
	 */
	return (errno == ERANGE && (number > 1 || number < -1) ? 0 : number);
}

/* Returns the base by Go's prefixes; *at is moved behind the prefix. */
static unsigned int
query_base(const char *text, size_t len, size_t *at)
{
	char c = len >= 3 ? (char)(text[1] | 0x20) : '\0';

	*at = 0;
	if (len == 0 || text[0] != '0')
		return (10);
	*at = c == 'x' || c == 'o' || c == 'b' ? 2 : 1;
	return (c == 'x' ? 16 : c == 'b' ? 2 : 8);
}

uint64_t
pp_query_address(const char *text, size_t len)
{
	unsigned int base;
	uint64_t number = 0;
	int digit, after_digit;
	size_t at;

	base = query_base(text, len, &at);
	after_digit = at > 0; /* a '_' may follow the prefix */
	for (; at < len; at++) {
		if (text[at] == '_' && after_digit) {
			after_digit = 0;
			continue;
		}
		digit = pp_query_digit(text[at]);
		if (digit < 0 || (unsigned int)digit >= base)
			return (0);
		if (number > (UINT64_MAX - (uint64_t)digit) / base)
			return (0);
		number = number * base + (uint64_t)digit;
		after_digit = 1;
	}
	return (after_digit ? number : 0);
}

void
pp_query_show(const struct pp_query_value *value, char *out)
{
	size_t i;

	for (i = 0; i < value->len; i++)
		out[i] = value->text[i] >= ' ' && value->text[i] <= '~'
		    ? value->text[i]
		    : '?';
	memcpy(out + i, "...", 4);
	if (!value->cut)
		out[i] = '\0';
}
