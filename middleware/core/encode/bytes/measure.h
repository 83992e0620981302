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

/* A unit in which values are shown. */
struct pp_unit {
	const char *name; /* "ms"; "": none is shown */
	double factor;	  /* base units in one */
};

/* Return the largest unit of which `value` in `unit` ("nanoseconds", "bytes")
 * has at least one; for any other `unit` none. */
struct pp_unit pp_measure_unit(int64_t value, const char *unit);

/* Write "12.50ms"; digits behind the point that would be 00 are left out. */
void pp_measure_text(char text[PP_MEASURE_MAX], int64_t value,
    struct pp_unit unit);

/* Write the value in its best unit. */
void pp_measure_best(char text[PP_MEASURE_MAX], int64_t value,
    const char *unit);

/* Write "12.34%", at least six columns wide. */
void pp_measure_share(char text[PP_MEASURE_MAX], int64_t value, int64_t total);

/* Return |value|; INT64_MAX for INT64_MIN, which has none. */
int64_t pp_measure_abs(int64_t value);

#endif
