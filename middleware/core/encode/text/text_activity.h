/*
 * The activities as text (goroutine, debug=2), in the form in which Go dumps
 * its goroutines: one block for each request, task and thread.
 *
 * First comes a list, with a line for each block, of what has no place in Go's
 * form (route, method and path, worker, age, bytes). Between and in the blocks
 * there is nothing but Go's form: programs that parse Go's dumps skip lines
 * before the first block, and stop at an unknown line after it.
 *
 * Rule: paths and names come from clients and from files that anybody may have
 * made; none can make a line of its own.
 */
#ifndef PP_ENCODE_TEXT_TEXT_ACTIVITY_H
#define PP_ENCODE_TEXT_TEXT_ACTIVITY_H

#include "base/buf.h"
#include "live/activity_list.h"
#include "profile/profile.h"

/* The most bytes that are written, as in Go; a line of the list says how many
 * blocks were left out. */
#ifndef PP_TEXT_ACTIVITY_MAX
#define PP_TEXT_ACTIVITY_MAX (64U << 20)
#endif

/* Append the dump. `stacks` is pp_activity_stacks() of the list, with or
 * without symbols. */
void pp_encode_text_activity(const struct pp_activity_list *list,
    const struct pp_profile *stacks, struct pp_buf *out);

#endif
