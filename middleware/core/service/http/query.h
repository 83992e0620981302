/*
 * Reading a request's query and the numbers in it, with the rules of Go's
 * net/url and strconv, so that a client sees the same as from a Go service.
 *
 * Rule: pure functions over a buffer; nothing needs to be terminated and
 * nothing is kept.
 */
#ifndef PP_SERVICE_HTTP_QUERY_H
#define PP_SERVICE_HTTP_QUERY_H

#include <stddef.h>
#include <stdint.h>

/* Longest value that is kept; the rest is cut (no number is that long). */
#define PP_QUERY_VALUE_MAX 64

struct pp_query_value {
	size_t len; /* 0: absent, or empty, which means the same */
	int cut;    /* 1: the value was longer than what is here */
	char text[PP_QUERY_VALUE_MAX +
	    1]; /* decoded, terminated; may hold NUL */
};

/*
 * The value of the first pair whose key is `key`. A pair with a broken
 * %-escape or with a ';' in it does not count, as in Go. `query` is without
 * the '?', undecoded.
 */
void pp_query_get(const char *query, size_t len, const char *key,
    struct pp_query_value *out);

/* Return what the hexadecimal digit stands for, or -1. */
int pp_query_digit(char c);

enum pp_query_number {
	PP_QUERY_NUMBER,     /* *out is set */
	PP_QUERY_TOO_LARGE,  /* a number above INT64_MAX */
	PP_QUERY_TOO_SMALL,  /* a number below INT64_MIN */
	PP_QUERY_NOT_NUMBER, /* anything else, the empty value too */
};

/* Reads a whole number in base 10, with an optional sign. */
enum pp_query_number pp_query_int(const struct pp_query_value *value,
    int64_t *out);

/*
 * Reads a number as Go's strconv.ParseFloat() does; all else is 0. Only decimal
 * numbers, "inf" and "nan" are known, not hexadecimal floats.
 */
double pp_query_float(const struct pp_query_value *value);

/*
 * Reads an address as symbol takes it: base 16, 8, 2 or 10 by its prefix (0x,
 * 0o or 0, 0b, none), '_' allowed between digits. Returns 0 if the text is no
 * number of 64 bits.
 */
uint64_t pp_query_address(const char *text, size_t len);

/*
 * Copy a value that is to be shown to people: a byte that is not printable
 * ASCII becomes '?', and a value that was cut ends in "...". `out` has room for
 * PP_QUERY_VALUE_MAX + 4 bytes.
 */
void pp_query_show(const struct pp_query_value *value, char *out);

#endif
