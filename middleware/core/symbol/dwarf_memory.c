/*
 * What happens when libdw gets no memory. libdw calls a handler that must not
 * return; its default handler ends the program. The handler here jumps back to
 * where libdw was entered.
 *
 * libdw (0.188) does not check every allocation: those for the abbreviations of
 * a unit are not. So libdw is entered only while DWARF_ROOM bytes are free.
 *
 * Rule: what libdw had allocated belongs to its handle and is freed with it, so
 * that the handle is closed, and nothing else is asked of it before.
 */
#include <setjmp.h>
#include <stdlib.h>

#include "symbol/dwarf.h"

/* The small allocations of one question fit into this; libdw checks the large
 * ones. */
#define DWARF_ROOM (1U << 20)

/* There is one thread, and no call of libdw enters libdw again. */
static jmp_buf dwarf_entered;

static __attribute__((noreturn)) void
dwarf_no_memory(void)
{
	longjmp(dwarf_entered, 1);
}

int
pp_dwarf_guarded(struct pp_dwarf *d, void (*call)(struct pp_dwarf *, void *),
    void *arg)
{
	/* Without `volatile` a compiler may leave out an allocation that is
	 * only freed again. */
	void *volatile room = malloc(DWARF_ROOM);

	(void)dwarf_new_oom_handler(d->dwarf, dwarf_no_memory);
	if (room == NULL || setjmp(dwarf_entered) != 0) {
		d->broken = d->starved = 1;
		return (-1);
	}
	free(room);
	call(d, arg);
	return (0);
}
