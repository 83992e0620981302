/*
 * This walks the frames of a sample, root first, inlined calls one by one, for
 * code that makes trees, tables or lines of stacks out of a profile.
 *
 *     struct pp_frames walk = pp_frames_of(p, sample);
 *     while (pp_frames_next(&walk)) ... walk.name, walk.file
 *
 * Rule: a location without a name is named after its file, so that every
 * frame has a name. Names are the profile's own pointers: equal pointers are
 * equal names.
 */
#ifndef PP_PROFILE_FRAMES_H
#define PP_PROFILE_FRAMES_H

#include <string.h>

#include "profile/profile.h"

#define PP_FRAMES_UNKNOWN "<unknown>"

struct pp_frames {
	const struct pp_profile *p;
	const struct pp_sample *sample;
	uint32_t locations; /* still to come */
	uint32_t lines;	    /* of the location, still to come */
	const struct pp_location *location;

	/* The frame that pp_frames_next() has found. */
	const char *name;
	const char *file; /* of source, "" when unknown */
	int inlined;	  /* 1: into the previous frame */
	int nameless;	  /* 1: `name` is its object's file */
};

static inline struct pp_frames
pp_frames_of(const struct pp_profile *p, const struct pp_sample *sample)
{
	return ((struct pp_frames){ .p = p,
	    .sample = sample,
	    .locations = sample->locations });
}

/* The file name of the location's object, without folders. The text belongs to
 * the profile. */
static inline const char *
pp_frames_object(const struct pp_profile *p, const struct pp_location *location)
{
	const char *file, *slash;

	if (location->mapping == 0)
		return (PP_FRAMES_UNKNOWN);
	file = p->mapping[location->mapping - 1].file;
	slash = strrchr(file, '/');
	if (slash != NULL)
		file = slash + 1;
	return (*file != '\0' ? file : PP_FRAMES_UNKNOWN);
}

/* Go to the next frame. Returns 1, or 0 after the leaf. */
static inline int
pp_frames_next(struct pp_frames *f)
{
	const struct pp_function *function;
	const struct pp_line *line;

	if (f->lines == 0) {
		if (f->locations == 0)
			return (0);
		f->locations--;
		f->location =
		    &f->p->location[f->p->stack[f->sample->first_location +
					f->locations] -
			1];
		f->lines = f->location->lines;
		f->inlined = 0;
		f->nameless = f->lines == 0;
		if (f->nameless) {
			f->name = pp_frames_object(f->p, f->location);
			f->file = "";
			return (1);
		}
	} else {
		f->inlined = 1;
	}
	f->lines--;
	line = &f->p->line[f->location->first_line + f->lines];
	function = &f->p->function[line->function - 1];
	f->name = function->name;
	f->file = function->file;
	return (1);
}

#endif
