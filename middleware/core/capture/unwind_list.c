/* Hot: signal handlers run what is in this file. */
/*
 * See unwind_list.h.
 *
 * The list is copied and published: the store of `current` is a release and
 * pairs with the acquire load of `current` by a thread that unwinds. A few old
 * copies are kept, since a handler may be reading one. The unwind information
 * of an object is read only for a pc within the object, and no stack has
 * addresses of an object that has gone.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "capture/self.h"
#include "capture/unwind_lib.h"
#include "capture/unwind_list.h"

/* A copy is written again after so many changes of the list: only a handler
 * that stands still all that time would be misled. */
#define COPIES 8

int (*pp_unwind_real_iterate)(pp_unwind_phdr_fn, void *);
int (*pp_unwind_real_sigprocmask)(int, const sigset_t *, sigset_t *);
int (*pp_unwind_real_sigmask)(int, const sigset_t *, sigset_t *);

__thread volatile int pp_unwind_ours;

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

/* In our handler all signals are blocked already. Elsewhere a handler that
 * finds its thread in the unwinder walks no stack (pp_unwind_off). */
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

int pp_unwind_cache_key = -1;
size_t pp_unwind_cache_words;
void (*pp_unwind_flush)(void *, uintptr_t, uintptr_t);
void *pp_unwind_space;

/* The acquire load by a thread that unwinds pairs with the release by the
 * thread that has unloaded something; the former then empties its cache. The
 * count is compared for equality: 2^32 unloads would have to lie between two
 * walks. */
static _Atomic uint32_t unloads;
static __thread uint32_t forgotten;

int
pp_unwind_forget(void)
{
	if (pp_unwind_cache_key == -1)
		return (-1);
	pp_unwind_flush(pp_unwind_space, 0, 0);
	(void)atomic_fetch_add_explicit(&unloads, 1, memory_order_release);
	return (0);
}

void
pp_unwind_forget_own(void)
{
	uint32_t now = atomic_load_explicit(&unloads, memory_order_acquire);
	struct pp_unwind_cache *cache;
	size_t i, words;

	if (now == forgotten)
		return;
	forgotten = now;
	cache = pthread_getspecific((pthread_key_t)pp_unwind_cache_key);
	if (cache == NULL)
		return;
	words = pp_unwind_cache_words << cache->log_size;
	for (i = 0; i < words; i += pp_unwind_cache_words)
		cache->bucket[i] = 0;
	cache->used = 0;
}
