/*
 * A profile as plain data: the messages of profile.proto as C structures. A
 * profile does not know where it comes from (the arena) or where it goes (an
 * encoder).
 *
 * All parts are in arrays and are referred to by index + 1, so that 0 means
 * "none", and the ids 1..n of the wire format are these numbers. Strings are
 * interned: equal text is the same pointer, owned by the profile.
 *
 * When there is no memory, `failed` is set and stays set, and further calls add
 * nothing; the code that hands the profile on looks at `failed` once. Ids that
 * the profile did not give out are refused, so no location, line or stack
 * refers to nothing.
 *
 * Rule: cold side only; one thread at a time.
 *
 * Source of the meaning of each field: profile.proto of google/pprof.
 */
#ifndef PP_PROFILE_PROFILE_H
#define PP_PROFILE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#define PP_VALUES_MAX 4 /* scrapers take no more */

struct pp_value_type {
	const char *type; /* "cpu" */
	const char *unit; /* "nanoseconds" */
};

struct pp_label {
	const char *key;
	const char *text; /* a text label, or NULL: a number */
	int64_t number;	  /* >= 1: readers drop a 0 without a unit */
};

struct pp_sample {
	uint32_t first_location; /* index into profile.stack[], leaf first */
	uint32_t locations;
	uint32_t first_label; /* index into profile.label[] */
	uint32_t labels;
	int64_t value[PP_VALUES_MAX];
};

/* One frame of source within a location. */
struct pp_line {
	uint32_t function; /* id, 1.. */
	int32_t line;	   /* 0: unknown */
};

struct pp_location {
	uint64_t address;    /* unique in the profile, the same in all profiles:
			     exact pc of a leaf, return address - 1 else */
	uint32_t mapping;    /* id, or 0 */
	uint32_t first_line; /* index into profile.line[], innermost first */
	uint32_t lines;	     /* 0: not symbolized */
	uint32_t offset;     /* bytes from the start of the physical function,
				plus 1; 0: unknown. Not on the wire */
};

struct pp_function {
	const char *name;
	const char *file; /* "" when unknown */
	int32_t start_line;
};

struct pp_mapping {
	uint64_t start; /* in the profile's own address space, see
			   merge/address_map.h */
	uint64_t limit;
	uint64_t offset;
	const char *file;
	const char *build_id; /* lower-case hex, "" when unknown */
	int has_functions;    /* 1: all its locations have a function */
	int has_filenames;
	int has_line_numbers;
	int has_inline_frames;
};

struct pp_profile {
	struct pp_value_type value_type[PP_VALUES_MAX];
	uint32_t value_types;
	struct pp_value_type period_type;
	int64_t period;
	int64_t time_ns;	  /* wall time, start of the window */
	int64_t duration_ns;	  /* 0: a snapshot */
	const char *default_type; /* NULL: the last value type */

	struct pp_sample *sample;
	uint32_t *stack; /* location ids of all samples */
	struct pp_label *label;
	struct pp_location *location;
	struct pp_line *line;
	struct pp_function *function;
	struct pp_mapping *mapping;
	const char **comment; /* "key=value", or a sentence */
	uint32_t samples, stack_used, labels, locations, lines, functions,
	    mappings, comments;

	int failed; /* 1: out of memory, the profile is not whole */
	struct pp_profile_index *index; /* for profile.c only */
};

/* Returns an empty profile, which the caller frees, or NULL when out of memory.
 * pp_profile_free(NULL) is allowed. */
struct pp_profile *pp_profile_new(void);
void pp_profile_free(struct pp_profile *p);

/* Intern a text: the same text gives the same pointer, which is valid until
 * _free. Each byte that is no valid UTF-8 is replaced by U+FFFD. NULL gives "",
 * and so does a profile that has failed. */
const char *pp_profile_string(struct pp_profile *p, const char *text);

/* Return the id of the mapping (by start), of the location (by address), or of
 * the function (by name, file and start line), which is added if it is new; or
 * 0 when out of memory. Texts are copied. */
uint32_t pp_profile_mapping(struct pp_profile *p,
    const struct pp_mapping *mapping);
uint32_t pp_profile_location(struct pp_profile *p, uint64_t address,
    uint32_t mapping);
uint32_t pp_profile_function(struct pp_profile *p, const char *name,
    const char *file, int32_t start_line);

/* Give a location its lines, innermost first, once: if the location has lines
 * already, the call is ignored. */
void pp_profile_lines(struct pp_profile *p, uint32_t location,
    const struct pp_line *line, uint32_t lines);

/* Begin a sample with `value_types` values; no more are read. The next calls of
 * _push, _stack and _label belong to this sample. Texts of keys and values are
 * interned. A number below 1 or an empty text adds no label. _labels_again
 * copies `count` labels of the profile, from index `first` on. */
void pp_profile_sample(struct pp_profile *p, const int64_t *values);
void pp_profile_push(struct pp_profile *p, uint32_t location);
void pp_profile_stack(struct pp_profile *p, const uint32_t *location,
    uint32_t count);
void pp_profile_labels_again(struct pp_profile *p, uint32_t first,
    uint32_t count);
void pp_profile_label_text(struct pp_profile *p, const char *key,
    const char *text);
void pp_profile_label_number(struct pp_profile *p, const char *key,
    int64_t number);

/* Add a comment. */
void pp_profile_comment(struct pp_profile *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
