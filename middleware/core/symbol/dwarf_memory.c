/*
 * When libdw gets no memory: it calls a handler that may not return, and its
 * own ends the program. Ours goes back to where libdw was entered.
 *
 * Not all that it allocates is checked at all (0.188: the tables of a unit's
 * abbreviations), so it is only entered while DWARF_ROOM bytes can be had.
 *
 * Rule: what libdw had allocated belongs to its handle and goes with it, so
 * that one is closed, and nothing else is asked of it before.
 */
#include <setjmp.h>
#include <stdlib.h>

#include "symbol/dwarf.h"

/* The small things of one question fit in; the large ones are checked. */
#define DWARF_ROOM (1U << 20)

/* There is one thread, and libdw is not entered from within. */
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
	/* Else a compiler may leave out what is only got and given back. */
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
