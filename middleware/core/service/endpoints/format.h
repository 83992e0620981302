/*
 * The forms in which profiles are answered: format= and sample_index= of a
 * query. One table (format.c) says which there are; answers, error sentences
 * and the check of the documents come from it.
 *
 * Rule: parameters are checked before anything is measured.
 */
#ifndef PP_SERVICE_ENDPOINTS_FORMAT_H
#define PP_SERVICE_ENDPOINTS_FORMAT_H

#include "profile/profile.h"
#include "service/http/query.h"
#include "service/http/message.h"

struct pp_format {
	const char *name;   /* of format= */
	const char *type;   /* content type */
	const char *shown;  /* "inline" or "attachment" */
	const char *suffix; /* of the file's name */
	const char *policy; /* Content-Security-Policy, or NULL */
	/* Appends the profile with its value[`value`]; -1: out of memory. */
	int (*encode)(const struct pp_profile *p, uint32_t value,
	    const char *title, struct pp_buf *out);
};

/* What a request asks for. */
struct pp_format_asked {
	const struct pp_format *format;
	int given;			    /* 0: no format=, the default */
	struct pp_query_value sample_index; /* len 0: the profile's default */
};

/*
 * Read format= and sample_index=. Returns -1 after a 400: the form is not
 * known, or debug= is there as well.
 */
int pp_format_read(struct pp_format_asked *asked, const char *query,
    struct pp_answer *answer);

/*
 * Returns the index of the value that sample_index= means: a name, with or
 * without inuse_, or a number. If there is no sample_index=, it is the default
 * type, or the last. -1 after an answer of status 400.
 */
int pp_format_value(const struct pp_format_asked *asked,
    const struct pp_value_type *types, uint32_t count, const char *default_type,
    struct pp_answer *answer);

/*
 * Begin an answer of status 200 for a profile of that name, which may hold any
 * bytes: a byte that would end the quotes becomes '_'.
 */
void pp_format_head(const struct pp_format_asked *asked, const char *name,
    const char *more, struct pp_answer *answer);

/*
 * Write the symbolized profile; its title is `name`. If the profile has no such
 * sample_index=, the answer is 400. Returns -1 when out of memory.
 */
int pp_format_body(const struct pp_format_asked *asked, struct pp_profile *p,
    const char *name, struct pp_answer *answer);

#endif
