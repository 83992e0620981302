/*
 * Finding libunwind at run time. Cold half of unwind.h.
 */
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "capture/self.h"
#include "capture/unwind.h"
#include "capture/unwind_lib.h"
#include "capture/unwind_list.h"

#define LIBUNWIND "libunwind.so.8"

#if defined(__x86_64__)
#define UNW(name) "_ULx86_64_" #name
#elif defined(__aarch64__)
#define UNW(name) "_ULaarch64_" #name
#endif

/* UNW_CACHE_PER_THREAD of libunwind-common.h: no lock in the unwinder. */
#define CACHE_PER_THREAD 2

int (*pp_unwind_backtrace)(void **, int);
#if defined(__aarch64__)
int (*pp_unwind_init)(void *, void *, int);
int (*pp_unwind_step)(void *);
int (*pp_unwind_reg)(void *, int, uint64_t *);
#endif
__thread volatile int pp_unwind_ours;
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
unwind_list_add(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct pp_unwind_list *list = arg;

	if (list->used == PP_OBJECTS_MAX)
		return (1);
	memset(&list->info[list->used], 0, sizeof(*info));
	memcpy(&list->info[list->used++], info,
	    size < sizeof(*info) ? size : sizeof(*info));
	return (0);
}

void
pp_unwind_list_refresh(void)
{
	struct pp_unwind_list *list = pp_unwind_list_next();

	list->used = 0;
	(void)dl_iterate_phdr(unwind_list_add, list);
	pp_unwind_list_publish(list);
}

int
pp_unwind_load(const char **why)
{
	int (*policy)(void *, int);
	void *lib, **space;

	(void)dl_iterate_phdr(unwind_find_own, NULL);
	/* RTLD_LOCAL: a global _Unwind_RaiseException of libunwind's makes a
	 * C++ module's exceptions 75 times slower. */
	lib = dlopen(LIBUNWIND, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		*why = "no " LIBUNWIND " (apt-get install libunwind8): "
		       "samples will have no stacks";
		return (-1);
	}
	*(void **)&policy = dlsym(lib, UNW(set_caching_policy));
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
	pp_unwind_list_refresh();
	pp_unwind_warm();
	return (0);
}

void
pp_unwind_warm(void)
{
	void *raw[4];

	if (pp_unwind_backtrace == NULL)
		return;
	pp_unwind_off = 1;
	(void)pp_unwind_backtrace(raw, 4);
	pp_unwind_off = 0;
}
