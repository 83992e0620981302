/*
 * Finds libunwind at run time. The cold half of unwind.h.
 */
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "capture/loaded.h"
#include "capture/self.h"
#include "capture/unwind.h"
#include "capture/unwind_lib.h"
#include "capture/unwind_list.h"

#define LIBUNWIND "libunwind.so.8"

#if defined(__x86_64__)
#define UNW(name) "_ULx86_64_" #name
#define UNW_FLUSH "_Ux86_64_flush_cache"
#elif defined(__aarch64__)
#define UNW(name) "_ULaarch64_" #name
/* On this processor flush_cache frees memory that other threads may be reading.
 */
#define UNW_FLUSH ""
#endif

/* UNW_CACHE_PER_THREAD of <libunwind-common.h>: the unwinder then takes no
 * lock. */
#define CACHE_PER_THREAD 2

int (*pp_unwind_backtrace)(void **, int);
#if defined(__aarch64__)
int (*pp_unwind_init)(void *, void *, int);
int (*pp_unwind_step)(void *);
int (*pp_unwind_reg)(void *, int, uint64_t *);
#endif
uintptr_t pp_unwind_own_start, pp_unwind_own_limit;

static int
unwind_find_own(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t here = (uintptr_t)&unwind_find_own, start;
	unsigned int i;

	(void)size;
	(void)unused;
	for (i = 0; i < info->dlpi_phnum; i++) {
		start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		if (info->dlpi_phdr[i].p_type != PT_LOAD || here < start ||
		    here >= start + info->dlpi_phdr[i].p_memsz)
			continue;
		pp_unwind_own_start = start;
		pp_unwind_own_limit = start + info->dlpi_phdr[i].p_memsz;
		return (1);
	}
	return (0);
}

static int
unwind_reads(const ElfW(Phdr) * ph)
{
	return (ph->p_type == PT_LOAD || ph->p_type == PT_GNU_EH_FRAME ||
	    ph->p_type == PT_DYNAMIC);
}

static int
unwind_list_add(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct pp_unwind_list *list = arg;
	struct dl_phdr_info *copy = &list->info[list->used];
	ElfW(Phdr) *header = &list->header[list->headers_used];
	unsigned int i;

	if (list->used == PP_OBJECTS_MAX ||
	    list->headers_used + PP_UNWIND_HEADERS_MAX >
		sizeof(list->header) / sizeof(list->header[0]))
		return (1);
	memset(copy, 0, sizeof(*copy));
	memcpy(copy, info, size < sizeof(*info) ? size : sizeof(*info));
	copy->dlpi_phdr = header;
	copy->dlpi_phnum = 0;
	for (i = 0;
	     i < info->dlpi_phnum && copy->dlpi_phnum < PP_UNWIND_HEADERS_MAX;
	     i++) {
		if (unwind_reads(&info->dlpi_phdr[i]))
			header[copy->dlpi_phnum++] = info->dlpi_phdr[i];
	}
	list->headers_used += copy->dlpi_phnum;
	list->used++;
	return (0);
}

void
pp_unwind_list_refresh(void)
{
	struct pp_unwind_list *list = pp_unwind_list_next();

	list->used = list->headers_used = 0;
	pp_loaded_each(unwind_list_add, list);
	pp_unwind_list_publish(list);
}

/* The bucket in which libunwind first looks for an address, by the cache's
 * size. */
static size_t
cache_place(const struct pp_unwind_cache *cache, uint64_t address)
{
	return (((address * 0x9e3779b97f4a7c16) >> 43) &
	    (((size_t)1 << cache->log_size) - 1));
}

#define CACHE_LOG_MIN	10
#define CACHE_LOG_MAX	24
#define CACHE_WORDS_MAX 4

/* Finds out how many words a bucket has, by the bucket that an address was put
 * into; 0: none is found. The address that libunwind remembers is that of the
 * call: one less than the return address. */
static size_t
cache_words(const struct pp_unwind_cache *cache, void *const *raw, int count)
{
	uint64_t address;
	size_t words;
	int i;

	if (cache->bucket == NULL || cache->log_size < CACHE_LOG_MIN ||
	    cache->log_size > CACHE_LOG_MAX || cache->used == 0 ||
	    cache->used > (size_t)1 << cache->log_size)
		return (0);
	for (words = 1; words <= CACHE_WORDS_MAX; words++) {
		for (i = 0; i < count; i++) {
			address = (uint64_t)(uintptr_t)raw[i] - 1;
			if (cache
				->bucket[words * cache_place(cache, address)] ==
			    address)
				return (words);
		}
	}
	return (0);
}

/* Unwinds for the first time in this thread, and learns under which key the
 * thread has its cache: a key that had no value before. */
static void
unwind_learn_cache(void)
{
	uint8_t had[PTHREAD_KEYS_MAX];
	const struct pp_unwind_cache *cache;
	void *raw[4];
	size_t words;
	int key, count;

	for (key = 0; key < PTHREAD_KEYS_MAX; key++)
		had[key] = pthread_getspecific((pthread_key_t)key) != NULL;
	count = pp_unwind_backtrace(raw, 4);
	if (pp_unwind_flush == NULL || count < 1)
		return;
	for (key = 0; key < PTHREAD_KEYS_MAX; key++) {
		cache = pthread_getspecific((pthread_key_t)key);
		if (cache == NULL || had[key])
			continue;
		words = cache_words(cache, raw, count);
		if (words == 0)
			continue;
		pp_unwind_cache_words = words;
		pp_unwind_cache_key = key;
		return;
	}
}

int
pp_unwind_load(const char **why)
{
	int (*policy)(void *, int);
	void *lib, **space;

	(void)dl_iterate_phdr(unwind_find_own, NULL);
	/* RTLD_LOCAL, because a global _Unwind_RaiseException of libunwind's
	 * would make a C++ module's exceptions 75 times slower. */
	lib = dlopen(LIBUNWIND, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		*why = "no " LIBUNWIND " (apt-get install libunwind8): "
		       "samples will have no stacks";
		return (-1);
	}
	*(void **)&policy = dlsym(lib, UNW(set_caching_policy));
	*(void **)&pp_unwind_flush = dlsym(lib, UNW_FLUSH);
	space = dlsym(lib, UNW(local_addr_space));
	*(void **)&pp_unwind_backtrace = dlsym(lib, "unw_backtrace");
	if (policy == NULL || space == NULL || pp_unwind_backtrace == NULL ||
	    policy(*space, CACHE_PER_THREAD) < 0) {
		pp_unwind_backtrace = NULL;
		*why = LIBUNWIND " is not the one this was made for: "
				 "samples will have no stacks";
		return (-1);
	}
#if defined(__aarch64__)
	*(void **)&pp_unwind_init = dlsym(lib, UNW(init_local2));
	*(void **)&pp_unwind_step = dlsym(lib, UNW(step));
	*(void **)&pp_unwind_reg = dlsym(lib, UNW(get_reg));
#endif
	pp_unwind_space = *space;
	pp_unwind_list_refresh();
	pp_unwind_off = pp_unwind_ours = 1;
	unwind_learn_cache();
	pp_unwind_off = pp_unwind_ours = 0;
	pp_unwind_warm();
	return (0);
}

void
pp_unwind_warm(void)
{
	void *raw[4];

	if (pp_unwind_backtrace == NULL)
		return;
	/* This call takes no lock of the dynamic linker: a thread that has that
	 * lock may be interrupted, and wait for a lock that libunwind holds
	 * here. */
	pp_unwind_off = pp_unwind_ours = 1;
	(void)pp_unwind_backtrace(raw, 4);
	pp_unwind_off = pp_unwind_ours = 0;
}
