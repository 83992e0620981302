/*
 * Values as people read them: "1.23s", "512.50kB", " 4.50%". The units, their
 * choice and the digits are those of `go tool pprof`, so that a number here
 * can be found in its output.
 *
 * Rule: pure functions.
 */
#ifndef PP_ENCODE_BYTES_MEASURE_H
#define PP_ENCODE_BYTES_MEASURE_H

#include <stdint.h>

#define PP_MEASURE_MAX 48 /* of a text, with its NUL */

/* A unit to show values in. */
struct pp_unit {
	const char *name; /* "ms"; "": none is shown */
	double factor;	  /* base units in one */
};

/* The largest unit of which `value` in `unit` ("nanoseconds", "bytes") has
 * one at least; for any other unit none. */
struct pp_unit pp_measure_unit(int64_t value, const char *unit);

/* "12.50ms"; no digits behind the point when they would be 00. */
void pp_measure_text(char text[PP_MEASURE_MAX], int64_t value,
    struct pp_unit unit);

/* In the unit that fits it best. */
void pp_measure_best(char text[PP_MEASURE_MAX], int64_t value,
    const char *unit);

/* "12.34%", six columns wide at least. */
void pp_measure_share(char text[PP_MEASURE_MAX], int64_t value, int64_t total);

/* |value|; INT64_MAX for the one that has none. */
int64_t pp_measure_abs(int64_t value);

#endif
