/*
 * See unwind_list.h.
 *
 * The list is copied and published; a few old copies are kept, since a
 * handler may be reading one. What it points to (program headers, names)
 * lives as long as the object does, and the addresses of an object that has
 * gone are in nobody's stack.
 */
#include <stdatomic.h>

#include "capture/self.h"
#include "capture/unwind_lib.h"
#include "capture/unwind_list.h"

/* A handler would have to stand still over so many changes to be misled. */
#define COPIES 8

int (*pp_unwind_real_iterate)(pp_unwind_phdr_fn, void *);
int (*pp_unwind_real_sigprocmask)(int, const sigset_t *, sigset_t *);
int (*pp_unwind_real_sigmask)(int, const sigset_t *, sigset_t *);

static struct pp_unwind_list lists[COPIES];
static _Atomic(const struct pp_unwind_list *) current;

int
pp_unwind_iterate(pp_unwind_phdr_fn visit, void *arg)
{
	const struct pp_unwind_list *list = atomic_load(&current);
	struct dl_phdr_info info;
	unsigned int i;
	int result = 0;

	if (!pp_unwind_ours || list == NULL)
		return (pp_unwind_real_iterate(visit, arg));
	for (i = 0; i < list->used && result == 0; i++) {
		info = list->info[i];
		result = visit(&info, sizeof(info), arg);
	}
	return (result);
}

/* All signals are blocked in our handler already; elsewhere a handler that
 * finds us unwinding keeps away by itself (pp_unwind_off). */
int
pp_unwind_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	if (!pp_unwind_ours)
		return (pp_unwind_real_sigprocmask(how, set, old));
	return (0);
}

int
pp_unwind_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	if (!pp_unwind_ours)
		return (pp_unwind_real_sigmask(how, set, old));
	return (0);
}

struct pp_unwind_list *
pp_unwind_list_next(void)
{
	static unsigned int turn;

	return (&lists[turn++ % COPIES]);
}

void
pp_unwind_list_publish(const struct pp_unwind_list *list)
{
	atomic_store(&current, list);
}
