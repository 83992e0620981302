/*
 * See unwind_list.h.
 *
 * The list is copied and published; a few old copies are kept, since a
 * handler may be reading one. What it points to (program headers, names)
 * lives as long as the object does, and the addresses of an object that has
 * gone are in nobody's stack.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/limits.h"
#include "capture/self.h"
#include "capture/unwind_lib.h"
#include "capture/unwind_list.h"

/* A handler would have to stand still over so many changes to be misled. */
#define COPIES 8

struct list {
	unsigned int used;
	struct dl_phdr_info info[PP_OBJECTS_MAX];
};

int (*pp_unwind_real_iterate)(pp_unwind_phdr_fn, void *);
int (*pp_unwind_real_sigprocmask)(int, const sigset_t *, sigset_t *);

static struct list lists[COPIES];
static _Atomic(const struct list *) current;

int
pp_unwind_iterate(pp_unwind_phdr_fn visit, void *arg)
{
	const struct list *list = atomic_load(&current);
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

static int
list_add(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct list *list = arg;

	if (list->used == PP_OBJECTS_MAX)
		return (1);
	memcpy(&list->info[list->used++], info,
	    size < sizeof(*info) ? size : sizeof(*info));
	return (0);
}

void
pp_unwind_list_refresh(void)
{
	static unsigned int turn;
	struct list *list = &lists[turn++ % COPIES];

	memset(list->info, 0, list->used * sizeof(list->info[0]));
	list->used = 0;
	(void)dl_iterate_phdr(list_add, list);
	atomic_store(&current, list);
}
