/*
 * What is in progress as text (goroutine, debug=2), in the form in which Go
 * dumps its goroutines: one block for each request, task and thread.
 *
 * First comes a list with what Go's form has no place for (route, method and
 * path, worker, age, bytes), a line for each block. Between the blocks and in
 * them is nothing but Go's form: programs that parse Go dumps skip what comes
 * before the first block, and stop at a line that they do not know after it.
 *
 * Rule: paths and names come from clients and from files that anybody may
 * have made; none makes a line of its own.
 */
#ifndef PP_ENCODE_TEXT_TEXT_PROGRESS_H
#define PP_ENCODE_TEXT_TEXT_PROGRESS_H

#include "base/buf.h"
#include "live/progress_list.h"
#include "profile/profile.h"

/* The most that is written, as in Go; what is left out is counted in a line
 * of the list. */
#ifndef PP_TEXT_PROGRESS_MAX
#define PP_TEXT_PROGRESS_MAX (64U << 20)
#endif

/* Append the dump. `stacks` is pp_progress_stacks() of the list, with or
 * without symbols. */
void pp_encode_text_progress(const struct pp_progress_list *list,
    const struct pp_profile *stacks, struct pp_buf *out);

#endif
