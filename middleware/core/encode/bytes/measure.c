/*
 * Numbers with units, as texts. The units of the profile itself are not changed
 * here.
 */
#include "encode/bytes/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define UNITS_MAX 6

static const struct family {
	const char *unit; /* the unit of a profile's values */
	struct pp_unit shown[UNITS_MAX];
	struct pp_unit zero; /* for values below the first unit */
} families[] = {
	{ "bytes",
	    { { "B", 1 }, { "kB", 1024 }, { "MB", 1048576 },
		{ "GB", 1073741824 }, { "TB", 1099511627776 },
		{ "PB", 1125899906842624 } },
	    { "B", 1 } },
	{ "nanoseconds",
	    { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
		{ "hrs", 3600e9 } },
	    { "s", 1e9 } },
};

struct pp_unit
pp_measure_unit(int64_t value, const char *unit)
{
	struct pp_unit best = { "", 1 };
	const struct family *family;
	double magnitude = fabs((double)value);
	size_t i, n;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		family = &families[i];
		if (strcmp(family->unit, unit) != 0)
			continue;
		best = family->zero;
		for (n = 0; n < UNITS_MAX; n++) {
			if (family->shown[n].name != NULL &&
			    magnitude / family->shown[n].factor >= 1)
				best = family->shown[n];
		}
	}
	return (best);
}

void
pp_measure_text(char text[PP_MEASURE_MAX], int64_t value, struct pp_unit unit)
{
	char *end;

	snprintf(text, PP_MEASURE_MAX - 8, "%.2f", (double)value / unit.factor);
	end = text + strlen(text);
	if (end - text > 3 && strcmp(end - 3, ".00") == 0)
		*(end -= 3) = '\0';
	if (strcmp(text, "0") == 0 || strcmp(text, "-0") == 0)
		memcpy(text, "0", 2);
	else
		snprintf(end, 8, "%s", unit.name);
}

void
pp_measure_best(char text[PP_MEASURE_MAX], int64_t value, const char *unit)
{
	pp_measure_text(text, value, pp_measure_unit(value, unit));
}

void
pp_measure_share(char text[PP_MEASURE_MAX], int64_t value, int64_t total)
{
	double share = 0;

	if (total != 0)
		share = fabs((double)value / (double)total) * 100;
	if (share >= 99.95 && share <= 100.05)
		memcpy(text, "  100%", 7);
	else if (share >= 1)
		snprintf(text, PP_MEASURE_MAX, "%5.2f%%", share);
	else
		snprintf(text, PP_MEASURE_MAX, "%5.2g%%", share);
}

int64_t
pp_measure_abs(int64_t value)
{
	if (value == INT64_MIN)
		return (INT64_MAX);
	return (value < 0 ? -value : value);
}
