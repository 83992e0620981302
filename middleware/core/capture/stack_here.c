/* Hot: signal handlers run what is in this file. */
/*
 * See stack_here.h.
 */
#include <errno.h>
#include <string.h>

#include "capture/own_stack.h"
#include "capture/stack_here.h"
#include "capture/unwind.h"
#include "store/intern.h"

struct here {
	int skip;
	uint32_t id;
	enum pp_unwind_end end;
};

static void
here_intern(void *arg)
{
	uint64_t words[1 + PP_FRAMES_MAX];
	struct pp_slot *slot = pp_self.slot;
	struct here *here = arg;
	struct pp_intern_table table;
	uint32_t frames, skip = (uint32_t)here->skip;

	frames = pp_unwind_here(words + 1, &here->end);
	if (frames == 0)
		return;
	if (skip > 0 && skip < frames) {
		frames -= skip;
		memmove(words + 1, words + 1 + skip, frames * sizeof(words[0]));
	}
	words[0] =
	    atomic_load_explicit(&slot->objects.used, memory_order_relaxed);
	table = pp_intern_stacks(&slot->stacks);
	here->id = pp_intern_put(&table, words, frames + 1);
}

uint32_t
pp_stack_here(int skip, enum pp_unwind_end *end)
{
	struct here here = { skip, 0, PP_UNWIND_WHOLE };
	int saved = errno;

	if (pp_self.slot != NULL)
		(void)pp_own_stack_run(here_intern, &here);
	errno = saved;
	*end = here.end;
	return (here.id);
}
